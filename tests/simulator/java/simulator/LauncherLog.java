package simulator;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.text.SimpleDateFormat;
import java.util.Date;

/** launcher.log, the gateway's only log in plain text (guide 1.11). */
final class LauncherLog {
    private final FileOutputStream out;

    LauncherLog(File file) throws IOException {
        out = new FileOutputStream(file, true);
    }

    synchronized void line(String text) {
        String stamp = new SimpleDateFormat("yyyy-MM-dd HH:mm:ss.SSS").format(new Date());
        try {
            out.write((stamp + " [" + Thread.currentThread().getName() + "] INFO  " + text + "\n")
                .getBytes(StandardCharsets.UTF_8));
        } catch (IOException problem) {
            System.err.println("launcher.log: " + problem);
        }
    }
}
