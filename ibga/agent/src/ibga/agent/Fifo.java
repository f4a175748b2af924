package ibga.agent;

import java.awt.EventQueue;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;

/** Makes agent/fifo and reads commands from it; each is done on the event dispatch thread and answered. */
final class Fifo implements Runnable {
    /** With its line end; so much reaches a pipe in one piece (PIPE_BUF). */
    private static final int MAX_LINE = 4096;
    private static final int MKFIFO_SECONDS = 10;

    private final Path runtime;
    private final Deeds deeds;
    private final Answers answers;
    private final Walks walks;

    Fifo(Path runtime, Deeds deeds, Answers answers, Walks walks) {
        this.runtime = runtime;
        this.deeds = deeds;
        this.answers = answers;
        this.walks = walks;
    }

    @Override
    public void run() {
        try {
            Path fifo = make();
            // Open for writing as well: a FIFO whose last writer left would else be at its end for ever.
            RandomAccessFile file = new RandomAccessFile(fifo.toFile(), "rw");
            try {
                read(file);
            } finally {
                file.close();
            }
        } catch (IOException failed) {
            answers.fifoFailed("agent/fifo: " + failed.getMessage());
        } catch (RuntimeException failed) {
            answers.fifoFailed("agent/fifo: " + failed);
        } catch (InterruptedException stop) {
            answers.fifoFailed("agent/fifo: interrupted");
        }
        walks.request(0);
    }

    /** A new FIFO for every JVM: what was written to a predecessor's must not reach us. */
    private Path make() throws IOException, InterruptedException {
        Path folder = runtime.resolve("agent");
        AtomicFile.makeFolder(folder);
        Path fresh = folder.resolve(".fifo.new");
        Files.deleteIfExists(fresh);
        ProcessBuilder builder = new ProcessBuilder("mkfifo", "-m", "600", fresh.toString());
        builder.redirectErrorStream(true).redirectOutput(new File("/dev/null"));
        Process process = builder.start();
        process.getOutputStream().close();
        if (!process.waitFor(MKFIFO_SECONDS, TimeUnit.SECONDS)) {
            process.destroy();
            throw new IOException("mkfifo does not end");
        }
        if (process.exitValue() != 0) {
            throw new IOException("mkfifo failed with exit code " + process.exitValue());
        }
        Path fifo = folder.resolve("fifo");
        Files.move(fresh, fifo, StandardCopyOption.ATOMIC_MOVE);
        return fifo;
    }

    private void read(RandomAccessFile file) throws IOException {
        byte[] buffer = new byte[MAX_LINE];
        byte[] line = new byte[MAX_LINE];
        int length = 0;
        boolean tooLong = false;
        while (true) {
            int count = file.read(buffer);
            for (int i = 0; i < count; i++) {
                if (buffer[i] == '\n') {
                    line(new String(line, 0, length, StandardCharsets.UTF_8), tooLong);
                    Arrays.fill(line, (byte) 0);
                    length = 0;
                    tooLong = false;
                } else if (length < MAX_LINE - 1) {
                    line[length++] = buffer[i];
                } else {
                    tooLong = true;
                }
            }
            Arrays.fill(buffer, (byte) 0);
            if (count < 0) {
                throw new IOException("closed");
            }
        }
    }

    private void line(String line, boolean tooLong) {
        if (line.trim().isEmpty()) {
            return;
        }
        try {
            if (tooLong) {
                throw new IllegalArgumentException("longer than " + MAX_LINE + " bytes");
            }
            EventQueue.invokeLater(new Turn(Command.read(line)));
        } catch (IllegalArgumentException bad) {
            Object id = Command.idOf(line);
            if (id != null) {
                answers.add(id, bad.getMessage());
                walks.request(0);
            }
        }
    }

    /** One command, on the event dispatch thread. */
    private final class Turn implements Runnable {
        private final Command command;

        Turn(Command command) {
            this.command = command;
        }

        @Override
        public void run() {
            if (answers.knows(command.id)) {
                return;
            }
            String error = null;
            try {
                deeds.perform(command);
            } catch (IllegalArgumentException refused) {
                error = refused.getMessage();
            } catch (RuntimeException failed) {
                error = failed.getClass().getName() + " in the application";
            } catch (LinkageError failed) {
                error = failed.getClass().getName() + " in the application";
            }
            answers.add(command.id, error == null ? null : Text.cap(error));
            walks.request(0);
        }
    }
}
