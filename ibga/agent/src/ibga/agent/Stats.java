package ibga.agent;

import java.util.Arrays;

/** What the walks cost: last, worst of the last 64, how many, how many components. */
final class Stats {
    private final long[] recent = new long[64];
    private long walks;
    private int components;

    synchronized void walked(long nanos, int componentCount) {
        recent[(int) (walks++ % recent.length)] = nanos;
        components = componentCount;
    }

    synchronized void write(Json json) {
        long[] sorted = recent.clone();
        Arrays.sort(sorted);
        int known = (int) Math.min(walks, sorted.length);
        long last = walks == 0 ? 0 : recent[(int) ((walks - 1) % recent.length)];
        long median = known == 0 ? 0 : sorted[sorted.length - known + known / 2];
        json.key("stats").object()
                .key("walk_ms").number(last / 1e6)
                .key("walk_ms_median").number(median / 1e6)
                .key("walk_ms_max").number(sorted[sorted.length - 1] / 1e6)
                .key("walks").number(walks)
                .key("components").number(components)
                .endObject();
    }
}
