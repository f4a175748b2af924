package ibga.agent;

import java.nio.file.Files;
import java.nio.file.Paths;

/** This process's id: Java 8 has no call for it that does not load the management classes. */
final class Pid {
    static final long VALUE = read();

    private Pid() {}

    private static long read() {
        try {
            return Long.parseLong(Files.readSymbolicLink(Paths.get("/proc/self")).toString());
        } catch (Exception elsewhere) {
            return 0;
        }
    }
}
