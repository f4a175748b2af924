package ibga.agent;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** One line of the FIFO. */
final class Command {
    private static final int MAX_ID = 64;
    private static final Pattern ID =
            Pattern.compile("\"id\"\\s*:\\s*(?:\"([^\"\\\\\\p{Cntrl}]{1,64})\"|(\\d{1,15})\\s*[,}])");

    final Object id;
    final String name;
    final Integer component;
    final Integer window;
    final Integer row;
    final String text;
    final List<String> path;

    private Command(Object id, Map<?, ?> members) {
        this.id = id;
        name = string(members, "command");
        component = integer(members, "component");
        window = integer(members, "window");
        row = integer(members, "row");
        text = string(members, "text");
        path = strings(members, "path");
        if (name == null) {
            throw new IllegalArgumentException("no command");
        }
    }

    /** Throws IllegalArgumentException with a sentence for the sender. */
    static Command read(String line) {
        Object value = JsonIn.read(line);
        if (!(value instanceof Map)) {
            throw new IllegalArgumentException("not an object");
        }
        Map<?, ?> members = (Map<?, ?>) value;
        Object id = members.get("id");
        boolean usable = id instanceof Long
                || id instanceof String && !((String) id).isEmpty() && ((String) id).length() <= MAX_ID;
        if (!usable) {
            throw new IllegalArgumentException("no usable id");
        }
        return new Command(id, members);
    }

    /** The id of a line that is otherwise wrong, or null. */
    static Object idOf(String line) {
        Matcher found = ID.matcher(line);
        if (!found.find()) {
            return null;
        }
        return found.group(1) != null ? found.group(1) : (Object) Long.valueOf(found.group(2));
    }

    private static String string(Map<?, ?> members, String key) {
        Object value = members.get(key);
        if (value == null || value instanceof String) {
            return (String) value;
        }
        throw new IllegalArgumentException(key + " is not a string");
    }

    private static Integer integer(Map<?, ?> members, String key) {
        Object value = members.get(key);
        if (value == null) {
            return null;
        }
        if (value instanceof Long && (Long) value >= 0 && (Long) value <= Integer.MAX_VALUE) {
            return ((Long) value).intValue();
        }
        throw new IllegalArgumentException(key + " is not a number from 0");
    }

    private static List<String> strings(Map<?, ?> members, String key) {
        Object value = members.get(key);
        if (value == null) {
            return null;
        }
        List<String> strings = new ArrayList<String>();
        if (value instanceof List) {
            for (Object item : (List<?>) value) {
                if (!(item instanceof String)) {
                    throw new IllegalArgumentException(key + " is not a list of strings");
                }
                strings.add((String) item);
            }
            return strings;
        }
        throw new IllegalArgumentException(key + " is not a list of strings");
    }
}
