package ibga.agent;

import java.io.IOException;
import java.lang.management.LockInfo;
import java.lang.management.ManagementFactory;
import java.lang.management.MonitorInfo;
import java.lang.management.ThreadInfo;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;

/** Writes what all threads do to agent/threads-PID.txt, for whoever asks why the event queue stood still. */
final class ThreadDump {
    private static final int MAX_CHARS = 1000000;
    private static final int MAX_FRAMES = 200;

    private final AtomicFile file;

    ThreadDump(Path folder) {
        file = new AtomicFile(folder.resolve("threads-" + Pid.VALUE + ".txt"));
    }

    void write() {
        StringBuilder out = new StringBuilder(65536);
        try {
            withLocks(out);
        } catch (LinkageError noManagement) {
            // A JRE made with jlink may lack java.management.
            out.setLength(0);
            stacks(out);
        } catch (RuntimeException refused) {
            out.setLength(0);
            stacks(out);
        }
        if (out.length() > MAX_CHARS) {
            out.setLength(MAX_CHARS);
        }
        try {
            file.write(out.toString().getBytes(StandardCharsets.UTF_8));
        } catch (IOException failed) {
            // Evidence only; the heartbeat says the rest.
        }
    }

    private static void withLocks(StringBuilder out) {
        for (ThreadInfo info : ManagementFactory.getThreadMXBean().dumpAllThreads(true, true)) {
            if (info == null || out.length() > MAX_CHARS) {
                continue;
            }
            head(out, info.getThreadName(), info.getThreadId(), info.getThreadState());
            if (info.getLockInfo() != null) {
                out.append(" on ").append(info.getLockInfo());
            }
            if (info.getLockOwnerName() != null) {
                out.append(" held by \"").append(info.getLockOwnerName()).append('"');
            }
            out.append('\n');
            frames(out, info.getStackTrace(), info.getLockedMonitors());
            for (LockInfo lock : info.getLockedSynchronizers()) {
                out.append("\tholds ").append(lock).append('\n');
            }
            out.append('\n');
        }
    }

    private static void stacks(StringBuilder out) {
        for (Map.Entry<Thread, StackTraceElement[]> entry : Thread.getAllStackTraces().entrySet()) {
            if (out.length() > MAX_CHARS) {
                return;
            }
            Thread thread = entry.getKey();
            head(out, thread.getName(), thread.getId(), thread.getState());
            out.append('\n');
            frames(out, entry.getValue(), null);
            out.append('\n');
        }
    }

    private static void head(StringBuilder out, String name, long id, Thread.State state) {
        out.append('"').append(name).append("\" #").append(id).append(' ').append(state);
    }

    private static void frames(StringBuilder out, StackTraceElement[] stack, MonitorInfo[] monitors) {
        for (int i = 0; i < stack.length && i < MAX_FRAMES; i++) {
            out.append("\tat ").append(stack[i]).append('\n');
            for (int m = 0; monitors != null && m < monitors.length; m++) {
                if (monitors[m].getLockedStackDepth() == i) {
                    out.append("\t- locked ").append(monitors[m]).append('\n');
                }
            }
        }
    }
}
