package ibga.agent;

import java.awt.EventQueue;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Sends a task through the event queue every second and writes when it came back, and how late. */
final class Heartbeat implements Runnable {
    private static final long MILLI = 1000000L;
    private static final long BEAT = 1000 * MILLI;
    /**
     * Without a window AWT ends its event thread after a second of silence, which lets a JVM end whose
     * last window is gone; a beat in every second would keep it.
     */
    private static final long SLOW_BEAT = 3000 * MILLI;
    private static final long STALLED = 2000 * MILLI;
    /** After the start of a stall: the first dump, the second, then one in every so often. */
    private static final long SECOND_DUMP = 10000 * MILLI;
    private static final long DUMP_EVERY = 60000 * MILLI;

    private final Path folder;
    private final AtomicFile file;
    private final ThreadDump dump;
    private final Stats stats;
    private boolean back;
    private long backNanos;
    private double time;
    private double delay;

    Heartbeat(Path runtime, Stats stats) {
        folder = runtime.resolve("agent");
        file = new AtomicFile(folder.resolve("heartbeat.json"));
        dump = new ThreadDump(folder);
        this.stats = stats;
    }

    @Override
    public void run() {
        try {
            while (true) {
                long sent = System.nanoTime();
                beat(sent);
                long took = System.nanoTime() - sent;
                long pause = Walks.anyDisplayable() ? BEAT : SLOW_BEAT;
                // After a stall a whole pause, so that a reader sees how long it was.
                Thread.sleep((took < pause ? pause - took : pause) / MILLI + 1);
            }
        } catch (InterruptedException stop) {
            // The JVM ends.
        }
    }

    private void beat(final long sent) throws InterruptedException {
        synchronized (this) {
            back = false;
        }
        EventQueue.invokeLater(new Runnable() {
            @Override
            public void run() {
                returned(sent);
            }
        });
        long nextDump = STALLED;
        long wakeUp = BEAT;
        while (!awaitBack(sent + wakeUp)) {
            long out = System.nanoTime() - sent;
            wakeUp = out + BEAT;
            write(out / 1e9);
            if (out >= nextDump) {
                nextDump = nextDump == STALLED ? SECOND_DUMP : out + DUMP_EVERY;
                dump.write();
            }
        }
        write(0);
    }

    private synchronized void returned(long sent) {
        back = true;
        time = System.currentTimeMillis() / 1000.0;
        delay = (System.nanoTime() - sent) / 1e9;
        notifyAll();
    }

    private synchronized boolean awaitBack(long until) throws InterruptedException {
        while (!back) {
            long rest = until - System.nanoTime();
            if (rest <= 0) {
                return false;
            }
            wait(rest / MILLI + 1);
        }
        return true;
    }

    private void write(double pending) {
        Json json = new Json(512);
        synchronized (this) {
            json.object().key("version").number(1).key("pid").number(Pid.VALUE).key("time").decimal(time)
                    .key("delay").decimal(delay).key("pending").decimal(pending);
        }
        stats.write(json);
        try {
            AtomicFile.makeFolder(folder);
            file.write((json.endObject() + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException failed) {
            // The next beat tries again; a reader sees that this one is missing.
        }
    }
}
