package ibga.agent;

/** The first ancestor of a class that is Java's own, since IBG's names change with each release. */
final class Bases extends ClassValue<String> {
    @Override
    protected String computeValue(Class<?> type) {
        Class<?> c = type;
        while (!c.getName().startsWith("javax.") && !c.getName().startsWith("java.")) {
            c = c.getSuperclass();
        }
        return c.getName();
    }
}
