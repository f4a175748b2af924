package simulator;

import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.Reader;
import java.io.Writer;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.util.Properties;
import java.util.StringJoiner;
import java.util.function.Function;

/** What IB's servers remember of a user, whatever process asks: codes used, waits, attempts, who is logged in. */
final class Server {
    static final String THIS = "this";
    static final String OTHER = "other";
    static final String NOBODY = "nobody";

    /** Codes older than this many time steps are refused as expired anyhow. */
    private static final int CODES_KEPT = 50;

    private final File file;

    Server(File file) {
        this.file = file;
    }

    /** Uses up the code of time step *step*; false where it was used before. */
    boolean spend(long step) {
        return update(state -> {
            String[] used = words(state.getProperty("codes", ""));
            StringJoiner kept = new StringJoiner(" ");
            for (int i = Math.max(0, used.length - CODES_KEPT); i < used.length; i++) {
                if (used[i].equals(String.valueOf(step))) {
                    return false;
                }
                kept.add(used[i]);
            }
            state.setProperty("codes", kept.add(String.valueOf(step)).toString());
            return true;
        });
    }

    /** Seconds that no login is served for, rounded up; 0 where there is nothing to wait for. */
    long secondsToWait() {
        long left = number("waitUntil", 0) - System.currentTimeMillis();
        return left <= 0 ? 0 : (left + 999) / 1000;
    }

    void serveNobodyFor(long seconds) {
        set("waitUntil", String.valueOf(System.currentTimeMillis() + 1000 * seconds));
        set("failures", "0");
    }

    /** Counts a failed login; returns how many there were since the last good one, or since the last wait. */
    int failed() {
        return update(state -> {
            int failures = Integer.parseInt(state.getProperty("failures", "0")) + 1;
            state.setProperty("failures", String.valueOf(failures));
            return failures;
        });
    }

    void succeeded() {
        set("failures", "0");
    }

    /** Counts an attempt; returns how many there were within the last *millis*, this one included. */
    int attempted(long millis) {
        return update(state -> {
            long now = System.currentTimeMillis();
            StringJoiner recent = new StringJoiner(" ");
            int count = 1;
            for (String time : words(state.getProperty("attempts", ""))) {
                if (now - Long.parseLong(time) < millis) {
                    recent.add(time);
                    count++;
                }
            }
            state.setProperty("attempts", recent.add(String.valueOf(now)).toString());
            return count;
        });
    }

    String holder(String otherwise) {
        return get("holder", otherwise);
    }

    String get(String key, String otherwise) {
        return update(state -> state.getProperty(key, otherwise));
    }

    long number(String key, long otherwise) {
        return Long.parseLong(get(key, String.valueOf(otherwise)));
    }

    void set(String key, String value) {
        update(state -> state.setProperty(key, value));
    }

    private static String[] words(String text) {
        return text.isEmpty() ? new String[0] : text.split(" ");
    }

    /** Reads the file, lets *change* have it, and writes it where it changed; one process at a time. */
    private synchronized <T> T update(Function<Properties, T> change) {
        try (RandomAccessFile lockFile = new RandomAccessFile(file.getPath() + ".lock", "rw");
                FileLock lock = lockFile.getChannel().lock()) {
            Properties state = new Properties();
            if (file.isFile()) {
                try (Reader in = Files.newBufferedReader(file.toPath(), StandardCharsets.UTF_8)) {
                    state.load(in);
                }
            }
            Object before = state.clone();
            T result = change.apply(state);
            if (!state.equals(before)) {
                File beside = new File(file.getPath() + ".new");
                try (Writer out = Files.newBufferedWriter(beside.toPath(), StandardCharsets.UTF_8)) {
                    state.store(out, null);
                }
                Files.move(beside.toPath(), file.toPath(), StandardCopyOption.REPLACE_EXISTING,
                    StandardCopyOption.ATOMIC_MOVE);
            }
            return result;
        } catch (IOException problem) {
            throw new IllegalStateException("server state", problem);
        }
    }
}
