package ibga.agent;

import java.awt.Component;

/** Writes JSON. A comma is needed exactly where the last thing written does not open something. */
final class Json implements Sink {
    private static final char[] HEX = "0123456789abcdef".toCharArray();

    private final StringBuilder out;
    private boolean comma;

    Json(int capacity) {
        out = new StringBuilder(capacity);
    }

    /** Appends the beginning of a value, and whether a comma belongs before the next. */
    private StringBuilder begin(boolean commaAfter) {
        if (comma) {
            out.append(',');
        }
        comma = commaAfter;
        return out;
    }

    @Override
    public Json object() {
        begin(false).append('{');
        return this;
    }

    @Override
    public Json endObject() {
        out.append('}');
        comma = true;
        return this;
    }

    @Override
    public Json array() {
        begin(false).append('[');
        return this;
    }

    @Override
    public Json endArray() {
        out.append(']');
        comma = true;
        return this;
    }

    @Override
    public Json key(String name) {
        begin(false).append('"').append(name).append("\":");
        return this;
    }

    @Override
    public Json number(long value) {
        begin(true).append(value);
        return this;
    }

    /** Three decimals: milliseconds of a time, microseconds of a walk. */
    Json decimal(double value) {
        long thousandths = Math.round(value * 1000);
        long fraction = thousandths % 1000;
        begin(true).append(thousandths / 1000).append(fraction < 10 ? ".00" : fraction < 100 ? ".0" : ".")
                .append(fraction);
        return this;
    }

    @Override
    public Json bool(boolean value) {
        begin(true).append(value);
        return this;
    }

    @Override
    public Json text(String value) {
        if (value == null) {
            begin(true).append("null");
            return this;
        }
        begin(true).append('"');
        int start = 0;
        int length = value.length();
        for (int i = 0; i < length; i++) {
            char c = value.charAt(i);
            if (c >= ' ' && c != '"' && c != '\\' && c != 0x7f) {
                continue;
            }
            out.append(value, start, i);
            start = i + 1;
            escape(c);
        }
        out.append(value, start, length).append('"');
        return this;
    }

    private void escape(char c) {
        if (c == '"' || c == '\\') {
            out.append('\\').append(c);
        } else if (c == '\n') {
            out.append("\\n");
        } else {
            out.append("\\u00").append(HEX[c >> 4]).append(HEX[c & 15]);
        }
    }

    @Override
    public Json markup(String value) {
        if (value == null || value.isEmpty()) {
            return this;
        }
        key("text").text(Text.cap(Text.plain(value)));
        return Text.isHtml(value) ? key("html").text(Text.cap(value)) : this;
    }

    @Override
    public Json identity(Component component) {
        raw(Bases.members(component.getClass()));
        String name = Names.of(component);
        return name == null || name.isEmpty() ? this : key("name").text(Text.cap(name));
    }

    @Override
    public Json bounds(int x, int y, int width, int height) {
        begin(true).append("\"bounds\":[").append(x).append(',').append(y).append(',').append(width).append(',')
                .append(height).append(']');
        return this;
    }

    /** Members that were written before, without their braces. */
    Json raw(String members) {
        begin(true).append(members);
        return this;
    }

    /** To be taken after a value, not after a key. */
    @Override
    public long mark() {
        return comma ? out.length() : -out.length() - 1;
    }

    @Override
    public void cut(long mark) {
        comma = mark >= 0;
        out.setLength((int) (comma ? mark : -mark - 1));
    }

    int length() {
        return out.length();
    }

    @Override
    public String toString() {
        return out.toString();
    }
}
