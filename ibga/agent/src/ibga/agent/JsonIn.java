package ibga.agent;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads one JSON value: Map, List, String, Long, Double, Boolean or null. Bounded by its input and depth. */
final class JsonIn {
    private static final int MAX_DEPTH = 8;

    private final String in;
    private int at;

    private JsonIn(String in) {
        this.in = in;
    }

    /** Throws IllegalArgumentException, which never quotes the input: that may hold a password. */
    static Object read(String text) {
        JsonIn json = new JsonIn(text);
        Object value = json.value(0);
        json.blanks();
        if (json.at < text.length()) {
            throw json.bad("text after the value");
        }
        return value;
    }

    private Object value(int depth) {
        if (depth > MAX_DEPTH) {
            throw bad("nested too deep");
        }
        blanks();
        char c = peek();
        if (c == '{') {
            return object(depth);
        }
        if (c == '[') {
            return array(depth);
        }
        if (c == '"') {
            return string();
        }
        if (take("true")) {
            return Boolean.TRUE;
        }
        if (take("false")) {
            return Boolean.FALSE;
        }
        if (take("null")) {
            return null;
        }
        return number();
    }

    private Map<String, Object> object(int depth) {
        Map<String, Object> members = new LinkedHashMap<String, Object>();
        at++;
        blanks();
        if (take("}")) {
            return members;
        }
        do {
            blanks();
            if (peek() != '"') {
                throw bad("a name expected");
            }
            String name = string();
            blanks();
            expect(":");
            members.put(name, value(depth + 1));
            blanks();
        } while (take(","));
        expect("}");
        return members;
    }

    private List<Object> array(int depth) {
        List<Object> items = new ArrayList<Object>();
        at++;
        blanks();
        if (take("]")) {
            return items;
        }
        do {
            items.add(value(depth + 1));
            blanks();
        } while (take(","));
        expect("]");
        return items;
    }

    private String string() {
        StringBuilder out = new StringBuilder();
        at++;
        while (true) {
            char c = peek();
            at++;
            if (c == '"') {
                return out.toString();
            }
            if (c < ' ') {
                throw bad("a control character in a string");
            }
            out.append(c == '\\' ? escape() : c);
        }
    }

    private char escape() {
        char c = peek();
        at++;
        int plain = "\"\\/bfnrt".indexOf(c);
        if (plain >= 0) {
            return "\"\\/\b\f\n\r\t".charAt(plain);
        }
        if (c != 'u' || at + 4 > in.length()) {
            throw bad("an unknown escape");
        }
        int code = 0;
        for (int i = 0; i < 4; i++) {
            int digit = Character.digit(in.charAt(at++), 16);
            if (digit < 0) {
                throw bad("an unknown escape");
            }
            code = code * 16 + digit;
        }
        return (char) code;
    }

    private Object number() {
        int start = at;
        while (at < in.length() && "+-.0123456789eE".indexOf(in.charAt(at)) >= 0) {
            at++;
        }
        String digits = in.substring(start, at);
        try {
            if (digits.matches("-?\\d{1,18}")) {
                return Long.valueOf(digits);
            }
            return Double.valueOf(digits);
        } catch (NumberFormatException not) {
            throw bad("a value expected");
        }
    }

    private void blanks() {
        while (at < in.length() && " \t\r\n".indexOf(in.charAt(at)) >= 0) {
            at++;
        }
    }

    private char peek() {
        if (at >= in.length()) {
            throw bad("cut short");
        }
        return in.charAt(at);
    }

    private boolean take(String token) {
        if (!in.startsWith(token, at)) {
            return false;
        }
        at += token.length();
        return true;
    }

    private void expect(String token) {
        if (!take(token)) {
            throw bad(token + " expected");
        }
    }

    private IllegalArgumentException bad(String what) {
        return new IllegalArgumentException("not JSON: " + what + " at character " + at);
    }
}
