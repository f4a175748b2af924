package ibga.agent;

import java.nio.file.Path;
import java.nio.file.Paths;

/** Entry point: decides whether this JVM is a gateway, and starts the parts once it uses AWT. */
public final class Agent implements Runnable {
    static final String VERSION = "1";

    private final Path runtime;

    private Agent(Path runtime) {
        this.runtime = runtime;
    }

    /** Called by the JVM before main. Returns at once; in a JVM that is not ours it does nothing. */
    public static void premain(String ignored) {
        try {
            String directory = System.getenv("IBGA_RUNTIME_DIR");
            if (directory != null && !directory.isEmpty() && !isRestarter()) {
                Threads.start("start", new Agent(Paths.get(directory)));
            }
        } catch (Throwable nothing) {
            // The gateway must start even where the agent cannot.
        }
    }

    /** install4j's restarter inherits our option, but shows no window and must not take over our files. */
    private static boolean isRestarter() {
        String mark = "install4j.alternativeLogfile";
        return System.getProperty(mark) != null || System.getProperty("sun.java.command", "").contains(mark);
    }

    @Override
    public void run() {
        if (!AwtGate.await()) {
            return;
        }
        Ids ids = new Ids();
        Answers answers = new Answers();
        Stats stats = new Stats();
        ReportFile file = new ReportFile(runtime, stats);
        Walks walks = new Walks(new Tree(ids, answers), file, stats);
        Threads.start("report", file);
        Threads.start("walks", walks.pacer());
        Events.listen(walks);
        walks.request(0);
        Threads.start("heartbeat", new Heartbeat(runtime, stats));
        Threads.start("fifo", new Fifo(runtime, new Deeds(ids), answers, walks));
    }
}
