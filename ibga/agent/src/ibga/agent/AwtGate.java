package ibga.agent;

import java.awt.GraphicsEnvironment;

/** Waits until the application itself has started AWT, so that the agent never is the one who loads it. */
final class AwtGate {
    private static final int QUICK_MILLIS = 20;
    private static final int SLOW_MILLIS = 50;
    private static final int QUICK_LOOKS = 3000;
    private static final int MAX_THREADS = 2000;

    private AwtGate() {}

    /** Returns true once AWT runs with a screen, false when it runs without one. */
    static boolean await() {
        try {
            for (int looks = 0; !awtRuns(); looks++) {
                Thread.sleep(looks < QUICK_LOOKS ? QUICK_MILLIS : SLOW_MILLIS);
            }
        } catch (InterruptedException stop) {
            return false;
        }
        return !GraphicsEnvironment.isHeadless();
    }

    /** AWT's own threads tell; a look at its classes would load them. */
    private static boolean awtRuns() {
        ThreadGroup root = Thread.currentThread().getThreadGroup();
        while (root.getParent() != null) {
            root = root.getParent();
        }
        Thread[] threads = new Thread[Math.min(root.activeCount() + 16, MAX_THREADS)];
        int count = root.enumerate(threads);
        for (int i = 0; i < count; i++) {
            String name = threads[i].getName();
            if (name.startsWith("AWT-EventQueue") || name.startsWith("AWT-XAWT")) {
                return true;
            }
        }
        return false;
    }
}
