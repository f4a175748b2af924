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
    private final Bases bases = new Bases();
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

    /** Returns the members of a report that depend on the tree. */
    String walk() {
        Json json = new Json(capacity);
        components = 0;
        truncated = false;
        deadline = System.nanoTime() + MAX_NANOS;
        focus = KeyboardFocusManager.getCurrentKeyboardFocusManager().getFocusOwner();
        answers.write(json);
        json.key("focus");
        if (focus == null) {
            json.text(null);
        } else {
            json.number(ids.of(focus));
        }
        json.key("windows").array();
        int windows = 0;
        for (Window window : Window.getWindows()) {
            if (!window.isShowing()) {
                continue;
            }
            if (windows++ == MAX_WINDOWS) {
                truncated = true;
                break;
            }
            window(json, window);
        }
        json.endArray().key("truncated").bool(truncated);
        capacity = json.length() + 1024;
        return json.toString();
    }

    private void window(Json json, Window window) {
        Rectangle bounds = window.getBounds();
        secondFactor = Secrets.isSecondFactor(window);
        json.object().key("id").number(ids.of(window));
        identity(json, window);
        json.key("kind").text(window instanceof Frame ? "frame" : window instanceof Dialog ? "dialog" : "window")
                .key("title").text(Text.cap(Secrets.title(window)));
        Area.bounds(json, bounds.x, bounds.y, bounds.width, bounds.height);
        json.key("active").bool(window.isActive())
                .key("modal").bool(window instanceof Dialog && ((Dialog) window).isModal())
                .key("enabled").bool(window.isEnabled());
        if (window.getOwner() != null) {
            json.key("owner").number(ids.of(window.getOwner()));
        }
        JPopupMenu popup = popup(window, 0);
        if (popup != null && popup.getInvoker() != null) {
            json.key("popup").number(ids.of(popup.getInvoker()));
        }
        GraphicsConfiguration screen = window.getGraphicsConfiguration();
        Rectangle visible = screen == null ? bounds : screen.getBounds();
        children(json, window, Area.ofWindow(bounds, visible), 0);
        json.endObject();
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

    private void children(Json json, Container parent, Area area, int depth) {
        if (parent.getComponentCount() == 0) {
            return;
        }
        json.key("components").array();
        for (Component child : parent.getComponents()) {
            if (child.isVisible() && !(child instanceof Window) && !(child instanceof CellRendererPane)
                    && !opensFromMenu(child)) {
                component(json, child, area.child(child), depth + 1);
            }
        }
        json.endArray();
    }

    /** An open menu is reported once, below its JMenu. */
    private static boolean opensFromMenu(Component component) {
        return component instanceof JPopupMenu && ((JPopupMenu) component).getInvoker() instanceof JMenu;
    }

    private boolean room(int depth) {
        if (depth < MAX_DEPTH && components < MAX_COMPONENTS && System.nanoTime() < deadline) {
            components++;
            return true;
        }
        truncated = true;
        return false;
    }

    private void component(Json json, Component component, Area area, int depth) {
        if (!room(depth)) {
            return;
        }
        int start = json.length();
        try {
            open(json, component);
            area.write(json);
            details.write(json, component, area, secondFactor);
            if (component instanceof JMenuBar) {
                items(json, (JMenuBar) component, area, depth);
            } else if (component instanceof Container && !(component instanceof JScrollBar)) {
                children(json, (Container) component, area, depth);
            }
            json.endObject();
        } catch (RuntimeException failed) {
            broken(json, start, component, area, failed);
        } catch (LinkageError failed) {
            broken(json, start, component, area, failed);
        }
    }

    /** Application code runs in getText, toString and renderers, and may throw. */
    private void broken(Json json, int start, Component component, Area area, Throwable failed) {
        json.cut(start);
        json.object().key("id").number(ids.of(component));
        identity(json, component);
        area.write(json);
        json.key("enabled").bool(false).key("focused").bool(false);
        json.key("error").text(failed.getClass().getName()).endObject();
    }

    private void open(Json json, Component component) {
        json.object().key("id").number(ids.of(component));
        identity(json, component);
        json.key("enabled").bool(component.isEnabled()).key("focused").bool(component == focus);
    }

    private void identity(Json json, Component component) {
        json.key("class").text(component.getClass().getName()).key("base").text(bases.get(component.getClass()));
        String name = details.name(component);
        if (name != null && !name.isEmpty()) {
            json.key("name").text(Text.cap(name));
        }
    }

    /** Items of closed menus too: they are the one thing that is reported without showing, with empty bounds. */
    private void items(Json json, MenuElement menu, Area area, int depth) {
        json.key("components").array();
        for (MenuElement element : menu.getSubElements()) {
            Component item = element.getComponent();
            if (element instanceof JPopupMenu || item == null || !item.isVisible() || !room(depth)) {
                continue;
            }
            int start = json.length();
            try {
                open(json, item);
                Area place = item.isShowing() ? itemArea(item, menu, area) : null;
                if (place == null) {
                    Area.bounds(json, 0, 0, 0, 0);
                } else {
                    place.write(json);
                }
                details.write(json, item, null, false);
                if (item instanceof JMenu) {
                    items(json, ((JMenu) item).getPopupMenu(), null, depth + 1);
                }
                json.endObject();
            } catch (RuntimeException failed) {
                json.cut(start);
            }
        }
        json.endArray();
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
