package install4j.ibgateway;

import java.io.File;
import java.io.FileWriter;
import java.util.Arrays;

/** The restarter's JVM: waits for the old gateway to go, starts the launcher, and ends (guide 2.6). */
public final class Restarter {
    public static void main(String[] command) throws Exception {
        try (FileWriter log = new FileWriter(System.getProperty("install4j.alternativeLogfile"), true)) {
            log.write("restarting " + Arrays.toString(command) + "\n");
        }
        Thread.sleep(1000);
        new ProcessBuilder(command).redirectOutput(new File("/dev/null")).redirectError(new File("/dev/null")).start();
    }
}
