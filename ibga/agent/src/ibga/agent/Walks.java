package ibga.agent;

import java.awt.EventQueue;
import java.awt.Window;

/**
 * Decides when the tree is walked: at once after an event, and every quarter of a second besides.
 *
 * Swing changes a label or a bar without any AWT event, and its RepaintManager belongs to the
 * application; so the tree is compared regularly, less often the longer a walk takes.
 */
final class Walks implements Runnable {
    private static final long MILLI = 1000000L;
    /** Between two walks, so that a storm of events cannot fill the event queue with ours. */
    private static final long GAP = 10 * MILLI;
    /** At least this many times a walk's own length lies between two walks. */
    private static final long GAP_FACTOR = 4;
    private static final long TICK = 250 * MILLI;
    private static final long MAX_TICK = 2000 * MILLI;
    /** Looks at an idle tree take at most one part in this many of a core; usually a tenth of that. */
    private static final long TICK_FACTOR = 100;
    private static final long NEVER = Long.MAX_VALUE;

    private final long origin = System.nanoTime();
    private final Tree tree;
    private final ReportFile file;
    private final Stats stats;
    private long due = NEVER;
    private long earliest;
    private long tick = TICK;
    private boolean posted;
    private String last = "";
    private long lastDigest;
    private long previous;

    Walks(Tree tree, ReportFile file, Stats stats) {
        this.tree = tree;
        this.file = file;
        this.stats = stats;
    }

    /** Ask for a walk, from any thread; requests that lie close together become one walk. */
    void request(int delayMillis) {
        boolean post = false;
        synchronized (this) {
            long time = now();
            long wanted = Math.max(time + delayMillis * MILLI, earliest);
            if (wanted <= time) {
                post = !posted;
                posted = true;
            } else if (wanted < due) {
                due = wanted;
                notifyAll();
            }
        }
        if (post) {
            EventQueue.invokeLater(this);
        }
    }

    /** The thread that posts what is due. */
    Runnable pacer() {
        return new Runnable() {
            @Override
            public void run() {
                try {
                    while (true) {
                        pace();
                    }
                } catch (InterruptedException stop) {
                    // The JVM ends.
                }
            }
        };
    }

    private void pace() throws InterruptedException {
        synchronized (this) {
            long wait = posted ? TICK : Math.min(due, tick) - now();
            if (wait > 0) {
                wait(wait / MILLI + 1);
                return;
            }
            boolean asked = due <= now();
            due = asked ? NEVER : due;
            tick = now() + TICK;
            if (!asked && !anyDisplayable()) {
                return;
            }
            // This walk's turn moves the tick; a thread that waits for it would be woken twice as often.
            posted = true;
        }
        EventQueue.invokeLater(this);
    }

    /** Without a window AWT ends its event thread after a second of silence; ticks would keep the JVM alive. */
    static boolean anyDisplayable() {
        for (Window window : Window.getWindows()) {
            if (window.isDisplayable()) {
                return true;
            }
        }
        return false;
    }

    /** One walk, on the event dispatch thread. */
    @Override
    public void run() {
        synchronized (this) {
            posted = false;
        }
        long begin = System.nanoTime();
        try {
            long digest = tree.look();
            stats.looked(System.nanoTime() - begin, tree.components());
            if (digest != lastDigest) {
                write();
                lastDigest = digest;
            }
        } catch (Throwable nothing) {
            // A tree that changes under us is read again at the next tick.
        }
        long length = System.nanoTime() - begin;
        synchronized (this) {
            earliest = now() + Math.max(GAP, length * GAP_FACTOR);
            // The lesser of two: one walk that the scheduler interrupted says nothing about the tree.
            tick = now() + Math.min(MAX_TICK, Math.max(TICK, Math.min(length, previous) * TICK_FACTOR));
            previous = length;
            if (due != NEVER) {
                notifyAll();
            }
        }
    }

    private void write() {
        long begin = System.nanoTime();
        String body = tree.write();
        stats.walked(System.nanoTime() - begin);
        if (!body.equals(last)) {
            last = body;
            file.offer(body);
        }
    }

    private long now() {
        return System.nanoTime() - origin;
    }
}
