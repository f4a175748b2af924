package ibga.agent;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** Plain text out of Swing's HTML: tags away, entities read, blanks collapsed. */
final class Text {
    static final int MAX = 4000;
    private static final int MAX_HTML = 20000;
    private static final int MAX_ENTITY = 10;
    private static final Map<String, String> ENTITIES = new HashMap<String, String>();

    static {
        String[] pairs = {"amp", "&", "lt", "<", "gt", ">", "quot", "\"", "apos", "'", "nbsp", " ", "copy", "\u00a9",
            "reg", "\u00ae", "trade", "\u2122", "hellip", "\u2026", "mdash", "\u2014", "ndash", "\u2013",
            "lsquo", "\u2018", "rsquo", "\u2019", "ldquo", "\u201c", "rdquo", "\u201d", "bull", "\u2022",
            "middot", "\u00b7", "euro", "\u20ac", "pound", "\u00a3", "yen", "\u00a5", "cent", "\u00a2",
            "laquo", "\u00ab", "raquo", "\u00bb", "rsaquo", "\u203a", "lsaquo", "\u2039", "shy", "",
            "ensp", " ", "emsp", " ", "thinsp", " "};
        for (int i = 0; i < pairs.length; i += 2) {
            ENTITIES.put(pairs[i], pairs[i + 1]);
        }
    }

    private Text() {}

    /** Swing's own rule for labels and buttons (BasicHTML.isHTMLString). */
    static boolean isHtml(String text) {
        return text != null && text.length() > 6 && text.charAt(0) == '<' && text.charAt(5) == '>'
                && text.regionMatches(true, 1, "html", 0, 4);
    }

    static String cap(String text) {
        if (text == null || text.length() <= MAX) {
            return text;
        }
        int end = Character.isHighSurrogate(text.charAt(MAX - 1)) ? MAX - 1 : MAX;
        return text.substring(0, end);
    }

    /** What a person reads: text as it is, or HTML without its markup. */
    static String plain(String text) {
        return isHtml(text) ? strip(text) : text;
    }

    /** Runs of blanks and line ends become one blank, none at the ends. */
    static String collapse(String text) {
        StringBuilder out = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            add(out, text.charAt(i));
        }
        return trimmed(out);
    }

    static String strip(String html) {
        int end = Math.min(html.length(), MAX_HTML);
        StringBuilder out = new StringBuilder(Math.min(end, MAX));
        int i = 0;
        while (i < end && out.length() < MAX) {
            char c = html.charAt(i);
            if (c == '<') {
                i = afterTag(html, i, end, out);
            } else if (c == '&') {
                i = afterEntity(html, i, end, out);
            } else {
                add(out, c);
                i++;
            }
        }
        return trimmed(out);
    }

    private static String trimmed(StringBuilder out) {
        int length = out.length();
        if (length > 0 && out.charAt(length - 1) == ' ') {
            out.setLength(length - 1);
        }
        return out.toString();
    }

    private static int afterTag(String html, int start, int end, StringBuilder out) {
        if (html.startsWith("<!--", start)) {
            int close = html.indexOf("-->", start + 4);
            return close < 0 ? end : close + 3;
        }
        int close = html.indexOf('>', start);
        if (close < 0) {
            return end;
        }
        int nameStart = start + 1;
        if (html.charAt(nameStart) == '/') {
            nameStart++;
        }
        int nameEnd = nameStart;
        while (nameEnd < close && Character.isLetterOrDigit(html.charAt(nameEnd))) {
            nameEnd++;
        }
        String name = html.substring(nameStart, nameEnd).toLowerCase(Locale.ROOT);
        boolean opens = nameStart == start + 1;
        if (opens && (name.equals("head") || name.equals("style") || name.equals("script"))) {
            return afterElement(html, name, close + 1, end);
        }
        // <b>, <i>, <font>, <a>, <span> and their like stand inside a word; everything else parts words.
        boolean inline = name.length() == 1 && !name.equals("p") || name.equals("font") || name.equals("span")
                || name.equals("strong") || name.equals("em") || name.equals("small") || name.equals("big")
                || name.equals("sub") || name.equals("sup") || name.equals("tt") || name.equals("code");
        if (!inline) {
            add(out, ' ');
        }
        return close + 1;
    }

    private static int afterElement(String html, String name, int from, int end) {
        for (int i = from; i < end; i++) {
            if (html.charAt(i) == '<' && html.regionMatches(true, i, "</" + name, 0, name.length() + 2)) {
                int close = html.indexOf('>', i);
                return close < 0 ? end : close + 1;
            }
        }
        return from;
    }

    private static int afterEntity(String html, int start, int end, StringBuilder out) {
        int semicolon = html.indexOf(';', start);
        if (semicolon < 0 || semicolon > Math.min(end, start + MAX_ENTITY)) {
            add(out, '&');
            return start + 1;
        }
        String name = html.substring(start + 1, semicolon);
        String value = name.startsWith("#") ? number(name.substring(1)) : ENTITIES.get(name);
        if (value == null) {
            add(out, '&');
            return start + 1;
        }
        for (int i = 0; i < value.length(); i++) {
            add(out, value.charAt(i));
        }
        return semicolon + 1;
    }

    private static String number(String digits) {
        try {
            int code = digits.startsWith("x") || digits.startsWith("X")
                    ? Integer.parseInt(digits.substring(1), 16) : Integer.parseInt(digits);
            return Character.isValidCodePoint(code) && code != 0 ? new String(Character.toChars(code)) : null;
        } catch (NumberFormatException notOne) {
            return null;
        }
    }

    private static void add(StringBuilder out, char c) {
        boolean blank = Character.isWhitespace(c) || c == '\u00a0';
        int length = out.length();
        if (!blank) {
            out.append(c);
        } else if (length > 0 && out.charAt(length - 1) != ' ') {
            out.append(' ');
        }
    }
}
