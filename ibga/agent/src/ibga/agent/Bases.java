package ibga.agent;

/**
 * The first ancestor of a class that is Java's own, since IBG's names change with each release.
 *
 * The classes of a look and feel are no such names either: the field of an editable combo box is a
 * MetalComboBoxEditor$1 or a BorderlessTextField, and to all the world a JTextField.
 */
final class Bases extends ClassValue<String> {
    private static final Bases ALL = new Bases();

    private Bases() {}

    /** Returns the members "class" and "base", ready to be written: they make up half of a report. */
    static String members(Class<?> type) {
        return ALL.get(type);
    }

    @Override
    protected String computeValue(Class<?> type) {
        Class<?> base = type;
        while (!isPlain(base.getName())) {
            base = base.getSuperclass();
        }
        Json json = new Json(200);
        return json.key("class").text(type.getName()).key("base").text(base.getName()).toString();
    }

    private static boolean isPlain(String name) {
        return name.startsWith("java.") || name.startsWith("javax.") && !name.startsWith("javax.swing.plaf.");
    }
}
