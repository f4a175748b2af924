package ibga.agent;

import java.util.Arrays;

/** What the event dispatch thread spends on us: on looks, and on the walks that write a report. */
final class Stats {
    private static final int KEPT = 64;

    private final Series walks = new Series();
    private final Series looks = new Series();
    private int components;

    synchronized void looked(long nanos, int componentCount) {
        looks.add(nanos);
        components = componentCount;
    }

    synchronized void walked(long nanos) {
        walks.add(nanos);
    }

    synchronized void write(Json json) {
        json.key("stats").object();
        walks.write(json, "walk");
        looks.write(json, "look");
        json.key("components").number(components).endObject();
    }

    /** The last durations of one kind. */
    private static final class Series {
        private final long[] recent = new long[KEPT];
        private long count;

        void add(long nanos) {
            recent[(int) (count++ % KEPT)] = nanos;
        }

        void write(Json json, String name) {
            long[] sorted = recent.clone();
            Arrays.sort(sorted);
            int known = (int) Math.min(count, KEPT);
            json.key(name + "s").number(count)
                    .key(name + "_ms").decimal(count == 0 ? 0 : recent[(int) ((count - 1) % KEPT)] / 1e6)
                    .key(name + "_ms_median").decimal(known == 0 ? 0 : sorted[KEPT - known + known / 2] / 1e6)
                    .key(name + "_ms_max").decimal(sorted[KEPT - 1] / 1e6);
        }
    }
}
