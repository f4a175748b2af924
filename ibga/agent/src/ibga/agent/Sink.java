package ibga.agent;

/**
 * Takes what a walk sees: either to write it (Json), or only to tell whether it changed (Digest).
 * One walk serves both, so that nothing can be reported whose change goes unnoticed.
 */
interface Sink {
    Sink object();

    Sink endObject();

    Sink array();

    Sink endArray();

    /** Names are our own and need no escapes. */
    Sink key(String name);

    Sink number(long value);

    Sink bool(boolean value);

    Sink text(String value);

    /** The members "text", without markup, and "html", the original where there is markup; none when empty. */
    Sink markup(String value);

    /** The members "class", "base" and "name" of a component. */
    Sink identity(java.awt.Component component);

    Sink bounds(int x, int y, int width, int height);

    /** A point that `cut` can return to. */
    long mark();

    void cut(long mark);
}
