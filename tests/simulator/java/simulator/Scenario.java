package simulator;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Properties;

/**
 * What this run shall do: the scenario file over the built-in dialogs.
 *
 * The file is read at process start, before every login attempt and before every command.
 */
final class Scenario {
    static final int NEVER = -1;

    private final File[] places;
    private volatile Properties properties = new Properties();

    Scenario(File settingsDir, File installDir) {
        places = new File[] {new File(settingsDir, "simulator.properties"), new File(installDir, "simulator.properties")};
        reload();
    }

    void reload() {
        Properties fresh = new Properties();
        try (InputStream in = Scenario.class.getResourceAsStream("/dialogs.properties")) {
            fresh.load(new InputStreamReader(in, StandardCharsets.UTF_8));
            for (File place : places) {
                if (place.isFile()) {
                    try (Reader reader = Files.newBufferedReader(place.toPath(), StandardCharsets.UTF_8)) {
                        fresh.load(reader);
                    }
                    break;
                }
            }
        } catch (IOException problem) {
            throw new IllegalStateException("scenario cannot be read", problem);
        }
        properties = fresh;
    }

    String text(String key, String otherwise) {
        return properties.getProperty(key, otherwise);
    }

    boolean flag(String key, boolean otherwise) {
        return Boolean.parseBoolean(text(key, String.valueOf(otherwise)).trim());
    }

    int number(String key, int otherwise) {
        return Integer.parseInt(text(key, String.valueOf(otherwise)).trim());
    }

    /** A duration in the file is in seconds; here in milliseconds. */
    int millis(String key, double otherwise) {
        return (int) Math.round(1000 * Double.parseDouble(text(key, String.valueOf(otherwise)).trim()));
    }

    /** A duration that `speed` shortens, in milliseconds; NEVER where it says so. */
    int scaled(String key, String otherwise) {
        return scaled(text(key, otherwise));
    }

    /** Alike, of *value* itself. */
    int scaled(String value) {
        return "never".equals(value.trim()) ? NEVER
            : (int) Math.round(1000 * Double.parseDouble(value.trim()) / Double.parseDouble(text("speed", "1")));
    }

    /** The values of *key*, separated by *separator* (a literal); leading blanks of a value are kept. */
    List<String> list(String key, String separator, String otherwise) {
        String value = text(key, otherwise);
        if (value.isEmpty()) {
            return Collections.emptyList();
        }
        List<String> values = new ArrayList<>();
        Collections.addAll(values, value.split(java.util.regex.Pattern.quote(separator), -1));
        return values;
    }
}
