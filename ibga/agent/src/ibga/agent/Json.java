package ibga.agent;

/** Writes JSON. A comma is needed exactly where the last character does not open something. */
final class Json {
    private static final char[] HEX = "0123456789abcdef".toCharArray();

    private final StringBuilder out;

    Json(int capacity) {
        out = new StringBuilder(capacity);
    }

    Json object() {
        comma();
        out.append('{');
        return this;
    }

    Json endObject() {
        out.append('}');
        return this;
    }

    Json array() {
        comma();
        out.append('[');
        return this;
    }

    Json endArray() {
        out.append(']');
        return this;
    }

    /** Names are our own and need no escapes. */
    Json key(String name) {
        comma();
        out.append('"').append(name).append("\":");
        return this;
    }

    Json number(long value) {
        comma();
        out.append(value);
        return this;
    }

    /** Three decimals: milliseconds of a time, microseconds of a walk. */
    Json number(double value) {
        comma();
        long thousandths = Math.round(value * 1000);
        long fraction = Math.abs(thousandths % 1000);
        out.append(thousandths / 1000).append(fraction < 10 ? ".00" : fraction < 100 ? ".0" : ".").append(fraction);
        return this;
    }

    Json bool(boolean value) {
        comma();
        out.append(value);
        return this;
    }

    Json text(String value) {
        comma();
        if (value == null) {
            out.append("null");
            return this;
        }
        out.append('"');
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

    /** Members that were written before, without their braces. */
    Json raw(String members) {
        comma();
        out.append(members);
        return this;
    }

    private void comma() {
        int length = out.length();
        if (length == 0) {
            return;
        }
        char before = out.charAt(length - 1);
        if (before != '{' && before != '[' && before != ':') {
            out.append(',');
        }
    }

    int length() {
        return out.length();
    }

    /** Forget what was written after this length. */
    void cut(int length) {
        out.setLength(length);
    }

    @Override
    public String toString() {
        return out.toString();
    }
}
