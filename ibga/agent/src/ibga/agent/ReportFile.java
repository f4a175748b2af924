package ibga.agent;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Writes ui.json, off the event dispatch thread. */
final class ReportFile implements Runnable {
    private static final long REFILL_MILLIS = 20;
    /** So many reports may follow each other at once; on average there are at most fifty in a second. */
    private static final int BURST = 10;
    private static final long RETRY_MILLIS = 1000;

    private final AtomicFile file;
    private final Stats stats;
    private String waiting;
    private long seq;
    private long tokenTime;

    ReportFile(Path runtime, Stats stats) {
        file = new AtomicFile(runtime.resolve("ui.json"));
        this.stats = stats;
    }

    /** Takes the newest state; one that was not yet written is forgotten, for the newest says it all. */
    synchronized void offer(String body) {
        waiting = body;
        notifyAll();
    }

    @Override
    public void run() {
        try {
            while (true) {
                String body = next();
                try {
                    file.write(report(body).getBytes(StandardCharsets.UTF_8));
                    seq++;
                } catch (IOException failed) {
                    keep(body);
                    Thread.sleep(RETRY_MILLIS);
                }
            }
        } catch (InterruptedException stop) {
            // The JVM ends.
        }
    }

    private String next() throws InterruptedException {
        pace();
        synchronized (this) {
            while (waiting == null) {
                wait();
            }
            String body = waiting;
            waiting = null;
            return body;
        }
    }

    private synchronized void keep(String body) {
        if (waiting == null) {
            waiting = body;
        }
    }

    private void pace() throws InterruptedException {
        long now = System.nanoTime() / 1000000;
        tokenTime = Math.max(tokenTime, now - BURST * REFILL_MILLIS) + REFILL_MILLIS;
        if (tokenTime > now) {
            Thread.sleep(tokenTime - now);
        }
    }

    private String report(String body) {
        Json json = new Json(body.length() + 512);
        json.object().key("version").number(1).key("agent").text(Agent.VERSION).key("pid").number(Pid.VALUE)
                .key("seq").number(seq + 1).key("time").decimal(System.currentTimeMillis() / 1000.0);
        stats.write(json);
        return json.raw(body).endObject().toString() + "\n";
    }
}
