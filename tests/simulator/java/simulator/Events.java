package simulator;

import java.awt.AWTEvent;
import java.awt.Component;
import java.awt.Container;
import java.awt.EventQueue;
import java.awt.Point;
import java.awt.Rectangle;
import java.awt.Toolkit;
import java.awt.Window;
import java.awt.event.ContainerEvent;
import java.awt.event.HierarchyEvent;
import java.awt.event.KeyEvent;
import java.awt.event.MouseEvent;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import javax.swing.AbstractButton;
import javax.swing.JComboBox;
import javax.swing.JComponent;
import javax.swing.JLabel;
import javax.swing.JScrollPane;
import javax.swing.JTree;
import javax.swing.SwingUtilities;
import javax.swing.event.DocumentEvent;
import javax.swing.event.DocumentListener;
import javax.swing.text.JTextComponent;

/** Writes what happened as JSON lines, and watches every component for what is done to it. */
final class Events {
    private static final String WATCHED = "simulator.watched";
    private static final long NANO_TO_UNIX = System.currentTimeMillis() * 1_000_000L - System.nanoTime();

    /** Since when a window shows what it shows; a window object may show several dialogs in turn. */
    private static final class Shown {
        int id;
        long sinceNano;
        String name = "";
    }

    private final FileOutputStream out;
    private final Map<Window, Shown> windows = new WeakHashMap<>();
    private int lastId;

    Events(File file) throws IOException {
        out = new FileOutputStream(file, true);
    }

    /** Appends one event; *details* are name, value, name, value, ... */
    void write(String event, Object... details) {
        long nano = System.nanoTime();
        long unixMicros = (nano + NANO_TO_UNIX) / 1000;
        StringBuilder line = new StringBuilder(160);
        line.append("{\"time\": ").append(unixMicros / 1_000_000).append('.')
            .append(String.format("%06d", unixMicros % 1_000_000)).append(", \"nano\": ").append(nano);
        appendMember(line, "event", event);
        for (int i = 0; i < details.length; i += 2) {
            appendMember(line, (String) details[i], details[i + 1]);
        }
        byte[] bytes = line.append("}\n").toString().getBytes(StandardCharsets.UTF_8);
        synchronized (out) {
            try {
                out.write(bytes);
            } catch (IOException problem) {
                System.err.println("simulator: event lost: " + problem);
            }
        }
    }

    /** Appends one event with *details* in their order. */
    void write(String event, Map<String, Object> details) {
        Object[] pairs = new Object[2 * details.size()];
        int at = 0;
        for (Map.Entry<String, Object> entry : details.entrySet()) {
            pairs[at++] = entry.getKey();
            pairs[at++] = entry.getValue();
        }
        write(event, pairs);
    }

    private static void appendMember(StringBuilder line, String name, Object value) {
        line.append(", ");
        appendText(line, name);
        line.append(": ");
        appendValue(line, value);
    }

    private static void appendValue(StringBuilder line, Object value) {
        if (value == null || value instanceof Number || value instanceof Boolean) {
            line.append(value);
        } else if (value instanceof Iterable) {
            String between = "[";
            for (Object item : (Iterable<?>) value) {
                line.append(between);
                appendValue(line, item);
                between = ", ";
            }
            line.append("[".equals(between) ? "[]" : "]");
        } else if (value instanceof Map) {
            String between = "{";
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
                line.append(between);
                appendText(line, String.valueOf(entry.getKey()));
                line.append(": ");
                appendValue(line, entry.getValue());
                between = ", ";
            }
            line.append("{".equals(between) ? "{}" : "}");
        } else {
            appendText(line, value.toString());
        }
    }

    private static void appendText(StringBuilder line, String text) {
        line.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                line.append('\\').append(c);
            } else if (c < ' ' || Character.isSurrogate(c)) {
                line.append(String.format("\\u%04x", (int) c));
            } else {
                line.append(c);
            }
        }
        line.append('"');
    }

    /** Watches every component that is ever added to a container, and every mouse press. */
    void watchComponents() {
        Toolkit.getDefaultToolkit().addAWTEventListener(event -> {
            if (event.getID() == ContainerEvent.COMPONENT_ADDED) {
                watch(((ContainerEvent) event).getChild());
            }
        }, AWTEvent.CONTAINER_EVENT_MASK);
        Toolkit.getDefaultToolkit().addAWTEventListener(event -> {
            if (event.getID() == MouseEvent.MOUSE_PRESSED) {
                mousePressed((MouseEvent) event);
            }
        }, AWTEvent.MOUSE_EVENT_MASK);
    }

    private void watch(Component component) {
        if (component instanceof Container) {
            for (Component child : ((Container) component).getComponents()) {
                watch(child);
            }
        }
        if (!(component instanceof JComponent) || ((JComponent) component).getClientProperty(WATCHED) != null) {
            return;
        }
        ((JComponent) component).putClientProperty(WATCHED, Boolean.TRUE);
        if (component instanceof AbstractButton) {
            // Listeners are called last-in first-out: this one comes before the handler, which may open a modal dialog.
            ((AbstractButton) component).addActionListener(action -> pressed((AbstractButton) component));
        } else if (component instanceof JTextComponent) {
            watchText((JTextComponent) component);
        } else if (component instanceof JComboBox) {
            ((JComboBox<?>) component).addItemListener(event -> {
                if (event.getStateChange() == java.awt.event.ItemEvent.SELECTED && component.isShowing()) {
                    write("selected", "kind", "JComboBox", "window", title(windowOf(component)), "row", event.getItem(),
                        "by", cause());
                }
            });
        }
    }

    private void watchText(JTextComponent field) {
        field.getDocument().addDocumentListener(new DocumentListener() {
            @Override
            public void insertUpdate(DocumentEvent event) {
                typed();
            }

            @Override
            public void removeUpdate(DocumentEvent event) {
                typed();
            }

            @Override
            public void changedUpdate(DocumentEvent event) {
            }

            private void typed() {
                if (field.isEditable() && field.isShowing()) {
                    Shown shown = shownIn(field);
                    write("typed", "kind", swingKind(field), "name", field.getName(),
                        "window", title(SwingUtilities.getWindowAncestor(field)),
                        "window_id", shown == null ? null : shown.id, "dialog", shown == null ? "" : shown.name,
                        "length", field.getDocument().getLength(), "by", cause());
                }
            }
        });
    }

    private Shown shownIn(Component component) {
        Window window = windowOf(component);
        return window == null ? null : windows.get(window);
    }

    private void pressed(AbstractButton button) {
        pressed(button, button.getText(), button.isSelected());
    }

    /** Something was pressed that answers as a button of that text would. */
    void pressed(Component button, String text, boolean selected) {
        Window window = windowOf(button);
        Shown shown = shownIn(button);
        AWTEvent event = EventQueue.getCurrentEvent();
        Integer x = null;
        Integer y = null;
        if (event instanceof MouseEvent) {
            x = ((MouseEvent) event).getXOnScreen();
            y = ((MouseEvent) event).getYOnScreen();
        }
        write("press", "window", title(window), "window_id", shown == null ? null : shown.id,
            "dialog", shown == null ? "" : shown.name, "kind", swingKind(button), "text", text,
            "selected", selected, "by", cause(), "x", x, "y", y,
            "latency_ms", shown == null ? null : (System.nanoTime() - shown.sinceNano) / 1e6);
    }

    private void mousePressed(MouseEvent event) {
        Component under = SwingUtilities.getDeepestComponentAt(event.getComponent(), event.getX(), event.getY());
        Component target = under == null ? event.getComponent() : under;
        Point point = event.getLocationOnScreen();
        Shown shown = shownIn(target);
        write("mouse", "x", point.x, "y", point.y, "button", event.getButton(), "window", title(windowOf(target)),
            "window_id", shown == null ? null : shown.id, "dialog", shown == null ? "" : shown.name, "kind", swingKind(target), "class", target.getClass().getName(), "text",
            target instanceof AbstractButton ? ((AbstractButton) target).getText() : null);
    }

    /** What set off the present event: a mouse, a key, or a program (the gateway or a library inside it). */
    private static String cause() {
        AWTEvent event = EventQueue.getCurrentEvent();
        return event instanceof MouseEvent ? "mouse"
            : event instanceof KeyEvent || event instanceof java.awt.event.InputMethodEvent ? "key" : "program";
    }

    /** Records when *window* shows and closes; *name* tells which of our windows it is. */
    void watchWindow(Window window, String name) {
        Shown shown = new Shown();
        shown.id = ++lastId;
        shown.name = name;
        windows.put(window, shown);
        window.addHierarchyListener(event -> {
            if ((event.getChangeFlags() & HierarchyEvent.SHOWING_CHANGED) == 0 || event.getComponent() != window) {
                return;
            }
            if (window.isShowing()) {
                windowShown(window, shown.name);
            } else {
                write("window-closed", "window_id", shown.id, "dialog", shown.name, "title", title(window));
            }
        });
    }

    /** *window* is about to show, or shows, the dialog *name*. */
    void rename(Window window, String name) {
        windows.get(window).name = name;
    }

    /** *window* now shows something else than before: what is measured from its showing starts anew. */
    void windowShown(Window window, String name) {
        Shown shown = windows.get(window);
        shown.name = name;
        shown.sinceNano = System.nanoTime();
        write("window-shown", "window_id", shown.id, "dialog", name, "title", title(window), "class",
            window.getClass().getName(), "x", window.getX(), "y", window.getY(), "width", window.getWidth(),
            "height", window.getHeight());
    }

    /** A link of a dialog was pressed. */
    void link(Component link, String text) {
        Shown shown = shownIn(link);
        write("link", "window", title(windowOf(link)), "window_id", shown == null ? null : shown.id, "dialog",
            shown == null ? "" : shown.name, "text", text);
    }

    private static Window windowOf(Component component) {
        // A menu's popup has no window ancestor of interest: its invoker has.
        Component at = component;
        while (at != null && !(at instanceof java.awt.Frame) && !(at instanceof java.awt.Dialog)) {
            at = at instanceof javax.swing.JPopupMenu ? ((javax.swing.JPopupMenu) at).getInvoker() : at.getParent();
        }
        return (Window) at;
    }

    static String title(Window window) {
        return window instanceof java.awt.Frame ? ((java.awt.Frame) window).getTitle()
            : window instanceof java.awt.Dialog ? ((java.awt.Dialog) window).getTitle() : null;
    }

    /** The first class of Swing's or AWT's own among the component's ancestors, without package. */
    static String swingKind(Component component) {
        Class<?> kind = component.getClass();
        while (!kind.getName().startsWith("javax.") && !kind.getName().startsWith("java.")) {
            kind = kind.getSuperclass();
        }
        return kind.getSimpleName();
    }

    /** Every showing component that can be used, and the labels, with the middle of its visible part on the screen. */
    static List<Map<String, Object>> showing() {
        List<Map<String, Object>> found = new ArrayList<>();
        for (Window window : Window.getWindows()) {
            if (window.isShowing()) {
                collect(window, title(window), found);
            }
        }
        return found;
    }

    private static void collect(Container container, String window, List<Map<String, Object>> found) {
        for (Component child : container.getComponents()) {
            if (!child.isShowing()) {
                continue;
            }
            boolean button = child instanceof AbstractButton;
            boolean label = child instanceof JLabel;
            if (button || label || child instanceof JTextComponent || child instanceof JComboBox || child instanceof JTree
                    || child instanceof JScrollPane) {
                Rectangle visible = ((JComponent) child).getVisibleRect();
                Point origin = child.getLocationOnScreen();
                if (!visible.isEmpty()) {
                    found.add(map("window", window, "kind", swingKind(child), "text",
                        button ? ((AbstractButton) child).getText() : label ? ((JLabel) child).getText() : "", "enabled", child.isEnabled(), "x",
                        origin.x + visible.x + visible.width / 2, "y", origin.y + visible.y + visible.height / 2));
                }
            }
            if (child instanceof JTree) {
                collectRows((JTree) child, window, found);
            }
            if (child instanceof Container) {
                collect((Container) child, window, found);
            }
        }
    }

    private static void collectRows(JTree tree, String window, List<Map<String, Object>> found) {
        Point origin = tree.getLocationOnScreen();
        for (int row = 0; row < tree.getRowCount(); row++) {
            Rectangle bounds = tree.getRowBounds(row);
            found.add(map("window", window, "kind", "JTree(row)", "text",
                String.valueOf(tree.getPathForRow(row).getLastPathComponent()), "enabled", true, "x",
                origin.x + bounds.x + bounds.width / 2, "y", origin.y + bounds.y + bounds.height / 2));
        }
    }

    static Map<String, Object> map(Object... pairs) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            map.put((String) pairs[i], pairs[i + 1]);
        }
        return map;
    }
}
