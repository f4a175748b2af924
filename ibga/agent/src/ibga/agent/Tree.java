package ibga.agent;

import java.awt.Component;
import java.awt.Container;
import java.awt.Dialog;
import java.awt.Frame;
import java.awt.GraphicsConfiguration;
import java.awt.KeyboardFocusManager;
import java.awt.Rectangle;
import java.awt.Window;
import javax.swing.CellRendererPane;
import javax.swing.JMenu;
import javax.swing.JMenuBar;
import javax.swing.JPopupMenu;
import javax.swing.JScrollBar;
import javax.swing.MenuElement;

/** Walks all showing windows on the event dispatch thread and writes what a person could see. */
final class Tree {
    private static final int MAX_WINDOWS = 100;
    private static final int MAX_COMPONENTS = 5000;
    private static final int MAX_DEPTH = 80;
    /** A walk ends here even when the tree does not; the report then says that it is cut. */
    private static final long MAX_NANOS = 250 * 1000000L;

    private final Ids ids;
    private final Answers answers;
    private final Details details = new Details();
        private final Digest digest = new Digest();
    private int capacity = 16384;
    private int components;
    private long deadline;
    private boolean truncated;
    private boolean secondFactor;
    private Component focus;

    Tree(Ids ids, Answers answers) {
        this.ids = ids;
        this.answers = answers;
    }

    /** Components seen by the last walk. */
    int components() {
        return components;
    }

    /** Returns a number that changes when the text of `write` would. */
    long look() {
        digest.reset();
        walk(digest);
        return digest.value();
    }

    /** Returns the members of a report that depend on the tree. */
    String write() {
        Json json = new Json(capacity);
        walk(json);
        capacity = json.length() + 1024;
        return json.toString();
    }

    private void walk(Sink out) {
        components = 0;
        truncated = false;
        deadline = System.nanoTime() + MAX_NANOS;
        focus = KeyboardFocusManager.getCurrentKeyboardFocusManager().getFocusOwner();
        answers.write(out);
        out.key("focus");
        if (focus == null) {
            out.text(null);
        } else {
            out.number(ids.of(focus));
        }
        out.key("windows").array();
        int windows = 0;
        for (Window window : Window.getWindows()) {
            if (!window.isShowing()) {
                continue;
            }
            if (windows++ == MAX_WINDOWS) {
                truncated = true;
                break;
            }
            window(out, window);
        }
        out.endArray().key("truncated").bool(truncated);
    }

    private void window(Sink out, Window window) {
        Rectangle bounds = window.getBounds();
        secondFactor = Secrets.isSecondFactor(window);
        out.object().key("id").number(ids.of(window));
        out.identity(window);
        out.key("kind").text(window instanceof Frame ? "frame" : window instanceof Dialog ? "dialog" : "window")
                .key("title").text(Text.cap(Secrets.title(window)));
        out.bounds(bounds.x, bounds.y, bounds.width, bounds.height);
        out.key("active").bool(window.isActive())
                .key("modal").bool(window instanceof Dialog && ((Dialog) window).isModal())
                .key("enabled").bool(window.isEnabled());
        if (window.getOwner() != null) {
            out.key("owner").number(ids.of(window.getOwner()));
        }
        JPopupMenu popup = popup(window, 0);
        if (popup != null && popup.getInvoker() != null) {
            out.key("popup").number(ids.of(popup.getInvoker()));
        }
        GraphicsConfiguration screen = window.getGraphicsConfiguration();
        Rectangle visible = screen == null ? bounds : screen.getBounds();
        children(out, window, Area.ofWindow(bounds, visible), 0);
        out.endObject();
    }

    /** Menus and combo boxes that do not fit into their frame open in a window of their own. */
    private static JPopupMenu popup(Container container, int depth) {
        if (!(container instanceof JPopupMenu) && (depth > 5 || container.getComponentCount() == 0
                || container instanceof Frame || container instanceof Dialog)) {
            return null;
        }
        if (container instanceof JPopupMenu) {
            return (JPopupMenu) container;
        }
        for (Component child : container.getComponents()) {
            JPopupMenu found = child instanceof Container ? popup((Container) child, depth + 1) : null;
            if (found != null) {
                return found;
            }
        }
        return null;
    }

    private void children(Sink out, Container parent, Area area, int depth) {
        if (parent.getComponentCount() == 0) {
            return;
        }
        out.key("components").array();
        for (Component child : parent.getComponents()) {
            if (child.isVisible() && !(child instanceof Window) && !(child instanceof CellRendererPane)
                    && !opensFromMenu(child)) {
                component(out, child, area.child(child), depth + 1);
            }
        }
        out.endArray();
    }

    /** An open menu is reported once, below its JMenu. */
    private static boolean opensFromMenu(Component component) {
        return component instanceof JPopupMenu && ((JPopupMenu) component).getInvoker() instanceof JMenu;
    }

    private boolean room(int depth) {
        // The clock is asked now and then only: it may cost more than a component.
        boolean late = (components & 63) == 63 && System.nanoTime() - deadline > 0;
        if (depth < MAX_DEPTH && components < MAX_COMPONENTS && !late) {
            components++;
            return true;
        }
        truncated = true;
        return false;
    }

    private void component(Sink out, Component component, Area area, int depth) {
        if (!room(depth)) {
            return;
        }
        long start = out.mark();
        try {
            open(out, component);
            area.write(out);
            details.write(out, component, area, secondFactor);
            if (component instanceof JMenuBar) {
                items(out, (JMenuBar) component, area, depth);
            } else if (component instanceof Container && !(component instanceof JScrollBar)) {
                children(out, (Container) component, area, depth);
            }
            out.endObject();
        } catch (RuntimeException failed) {
            broken(out, start, component, area, failed);
        } catch (LinkageError failed) {
            broken(out, start, component, area, failed);
        }
    }

    /** Application code runs in getText, toString and renderers, and may throw. */
    private void broken(Sink out, long start, Component component, Area area, Throwable failed) {
        out.cut(start);
        out.object().key("id").number(ids.of(component));
        out.identity(component);
        area.write(out);
        out.key("enabled").bool(false).key("focused").bool(false);
        out.key("error").text(failed.getClass().getName()).endObject();
    }

    private void open(Sink out, Component component) {
        out.object().key("id").number(ids.of(component));
        out.identity(component);
        out.key("enabled").bool(component.isEnabled()).key("focused").bool(component == focus);
    }

    /** Items of closed menus too: they are the one thing that is reported without showing, with empty bounds. */
    private void items(Sink out, MenuElement menu, Area area, int depth) {
        out.key("components").array();
        for (MenuElement element : menu.getSubElements()) {
            Component item = element.getComponent();
            if (element instanceof JPopupMenu || item == null || !item.isVisible() || !room(depth)) {
                continue;
            }
            long start = out.mark();
            try {
                open(out, item);
                Area place = item.isShowing() ? itemArea(item, menu, area) : null;
                if (place == null) {
                    out.bounds(0, 0, 0, 0);
                } else {
                    place.write(out);
                }
                details.write(out, item, null, false);
                if (item instanceof JMenu) {
                    items(out, ((JMenu) item).getPopupMenu(), null, depth + 1);
                }
                out.endObject();
            } catch (RuntimeException failed) {
                out.cut(start);
            }
        }
        out.endArray();
    }

    private static Area itemArea(Component item, MenuElement menu, Area area) {
        if (menu instanceof JMenuBar) {
            return area.child(item);
        }
        java.awt.Point at = item.getLocationOnScreen();
        Rectangle bounds = new Rectangle(at.x, at.y, item.getWidth(), item.getHeight());
        GraphicsConfiguration screen = item.getGraphicsConfiguration();
        return Area.ofWindow(bounds, screen == null ? bounds : screen.getBounds());
    }
}
