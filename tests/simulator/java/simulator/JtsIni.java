package simulator;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/** jts.ini (guide 1.10), edited line-wise: what the gateway does not know stays as it is. */
final class JtsIni {
    private final File file;
    private final List<String> lines = new ArrayList<>();

    JtsIni(File file) throws IOException {
        this.file = file;
        if (file.isFile()) {
            lines.addAll(Files.readAllLines(file.toPath(), StandardCharsets.UTF_8));
        }
    }

    String get(String section, String key, String otherwise) {
        int at = find(section, key);
        return at < 0 ? otherwise : lines.get(at).substring(key.length() + 1);
    }

    void set(String section, String key, String value) {
        int at = find(section, key);
        if (at >= 0) {
            lines.set(at, key + "=" + value);
            return;
        }
        int head = lines.indexOf("[" + section + "]");
        if (head < 0) {
            // The order of sections is not fixed; user sections like to come first.
            head = section.startsWith("u:") ? 0 : lines.size();
            lines.add(head, "[" + section + "]");
        }
        lines.add(head + 1, key + "=" + value);
    }

    void setDefault(String section, String key, String value) {
        if (find(section, key) < 0) {
            set(section, key, value);
        }
    }

    private int find(String section, String key) {
        String here = "";
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (line.startsWith("[") && line.endsWith("]")) {
                here = line.substring(1, line.length() - 1);
            } else if (here.equals(section) && line.startsWith(key + "=")) {
                return i;
            }
        }
        return -1;
    }

    void save() {
        File beside = new File(file.getPath() + ".new");
        try {
            Files.write(beside.toPath(), lines, StandardCharsets.UTF_8);
            Files.move(beside.toPath(), file.toPath(), StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException problem) {
            System.err.println("jts.ini not written: " + problem);
        }
    }
}
