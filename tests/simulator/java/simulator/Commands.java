package simulator;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchService;
import java.util.List;
import java.util.function.Consumer;
import javax.swing.SwingUtilities;

/** Takes commands from the file `simulator.command` in the settings directory, one a line, and deletes it. */
final class Commands {
    private final File file;
    private final Consumer<String> execute;

    Commands(File settingsDir, Consumer<String> execute) {
        this.file = new File(settingsDir, "simulator.command");
        this.execute = execute;
    }

    void start() throws IOException {
        // Only creations are watched, so that the simulator's own log does not wake it; hence the file must be
        // written beside and renamed.
        WatchService watch = file.toPath().getFileSystem().newWatchService();
        file.getParentFile().toPath().register(watch, StandardWatchEventKinds.ENTRY_CREATE);
        Thread thread = new Thread(() -> {
            try {
                while (true) {
                    take();
                    watch.take().pollEvents();
                    watchAgain(watch);
                }
            } catch (IOException | InterruptedException problem) {
                System.err.println("simulator: no more commands: " + problem);
            }
        }, "simulator-commands");
        // Not a daemon: it keeps the process while there is no window yet.
        thread.start();
    }

    private void watchAgain(WatchService watch) throws IOException {
        file.getParentFile().toPath().register(watch, StandardWatchEventKinds.ENTRY_CREATE).reset();
    }

    private void take() throws IOException {
        if (!file.isFile()) {
            return;
        }
        List<String> lines = Files.readAllLines(file.toPath(), StandardCharsets.UTF_8);
        Files.delete(file.toPath());
        for (String line : lines) {
            if (!line.trim().isEmpty()) {
                SwingUtilities.invokeLater(() -> execute.accept(line.trim()));
            }
        }
    }
}
