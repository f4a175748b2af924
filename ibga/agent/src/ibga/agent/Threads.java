package ibga.agent;

/** Starts the agent's threads: daemons, so that none keeps the gateway alive. */
final class Threads {
    private Threads() {}

    static void start(String name, final Runnable body) {
        Thread thread = new Thread("ibga-agent-" + name) {
            @Override
            public void run() {
                try {
                    body.run();
                } catch (Throwable nothing) {
                    // The application's handler of uncaught exceptions is not for our mistakes.
                }
            }
        };
        thread.setDaemon(true);
        thread.setContextClassLoader(null);
        thread.start();
    }
}
