package ibga.agent;

import java.awt.Component;

/**
 * A number that tells one state of the tree from another, many times quicker than writing it.
 *
 * Class and name are left out: an id stands for one object, and neither can be seen. Strings keep
 * their hash, so that a label which did not change costs a few operations.
 */
final class Digest implements Sink {
    private static final long PRIME = 0x9E3779B97F4A7C15L;

    private long state;

    long value() {
        return state;
    }

    void reset() {
        state = 0;
    }

    private Digest mix(long value) {
        long mixed = (state ^ value) * PRIME;
        state = mixed ^ (mixed >>> 29);
        return this;
    }

    @Override
    public Sink object() {
        return mix(1);
    }

    @Override
    public Sink endObject() {
        return mix(2);
    }

    @Override
    public Sink array() {
        return mix(3);
    }

    @Override
    public Sink endArray() {
        return mix(4);
    }

    @Override
    public Sink key(String name) {
        return mix(name.hashCode());
    }

    @Override
    public Sink number(long value) {
        return mix(value);
    }

    @Override
    public Sink bool(boolean value) {
        return mix(value ? 5 : 6);
    }

    @Override
    public Sink text(String value) {
        if (value == null) {
            return mix(7);
        }
        int length = value.length();
        // The ends beside the hash: two texts of one hash ("Aa", "BB") are told apart by them.
        long ends = length == 0 ? 0 : (long) value.charAt(0) << 16 | value.charAt(length - 1);
        return mix(value.hashCode() | ends << 32).mix(length);
    }

    @Override
    public Sink markup(String value) {
        return text(value);
    }

    @Override
    public Sink identity(Component component) {
        return this;
    }

    @Override
    public Sink bounds(int x, int y, int width, int height) {
        return mix((long) x << 32 | y & 0xffffffffL).mix((long) width << 32 | height & 0xffffffffL);
    }

    @Override
    public long mark() {
        return state;
    }

    @Override
    public void cut(long mark) {
        state = mark;
    }
}
