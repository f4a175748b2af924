package ibga.agent;

import java.awt.Button;
import java.awt.Component;
import java.awt.EventQueue;
import java.awt.Point;
import java.awt.Rectangle;
import java.awt.TextComponent;
import java.awt.Toolkit;
import java.awt.Window;
import java.awt.event.ActionEvent;
import java.awt.event.InputEvent;
import java.awt.event.MouseEvent;
import java.awt.event.WindowEvent;
import java.text.ParseException;
import javax.swing.AbstractButton;
import javax.swing.JComboBox;
import javax.swing.JComponent;
import javax.swing.JFormattedTextField;
import javax.swing.JMenuItem;
import javax.swing.JPopupMenu;
import javax.swing.JSpinner;
import javax.swing.MenuSelectionManager;
import javax.swing.SwingUtilities;
import javax.swing.text.JTextComponent;

/**
 * Does what a command asks, on the event dispatch thread; refuses with IllegalArgumentException.
 *
 * What may open a modal dialog is posted and not called: the call would return only when the dialog
 * is gone (guide 11.2), and the answer must not wait for that.
 */
final class Deeds {
    private final Ids ids;

    Deeds(Ids ids) {
        this.ids = ids;
    }

    void perform(Command command) {
        if (command.name.equals("close")) {
            close(command);
            return;
        }
        Component component = target(command);
        if (command.name.equals("click")) {
            click(component, command.row);
        } else if (command.name.equals("set_text")) {
            setText(component, command.text);
        } else if (command.name.equals("choose")) {
            Choice.make(component, command);
        } else if (command.name.equals("reveal")) {
            reveal(component, command.row);
        } else {
            throw new IllegalArgumentException("no such command");
        }
    }

    private void close(Command command) {
        Integer id = command.window != null ? command.window : command.component;
        Object window = id == null ? null : ids.find(id);
        if (!(window instanceof Window) || !((Window) window).isShowing()) {
            throw new IllegalArgumentException("no such window");
        }
        Toolkit.getDefaultToolkit().getSystemEventQueue()
                .postEvent(new WindowEvent((Window) window, WindowEvent.WINDOW_CLOSING));
    }

    private Component target(Command command) {
        Object found = command.component == null ? null : ids.find(command.component);
        if (!(found instanceof Component)) {
            throw new IllegalArgumentException("no such component");
        }
        Component component = (Component) found;
        Component home = home(component);
        if (home == null || !home.isShowing()) {
            throw new IllegalArgumentException("not showing");
        }
        if (command.window != null && SwingUtilities.getWindowAncestor(home) != ids.find(command.window)
                && home != ids.find(command.window)) {
            throw new IllegalArgumentException("not in that window");
        }
        return component;
    }

    /** An item of a closed menu lives where the top of its menus is. */
    private static Component home(Component component) {
        Component at = component;
        while (at instanceof JMenuItem && at.getParent() instanceof JPopupMenu) {
            at = ((JPopupMenu) at.getParent()).getInvoker();
        }
        return at;
    }

    private static void enabled(Component component) {
        if (!component.isEnabled()) {
            throw new IllegalArgumentException("disabled");
        }
    }

    private static void click(final Component component, Integer row) {
        enabled(component);
        if (component instanceof AbstractButton) {
            EventQueue.invokeLater(new Runnable() {
                @Override
                public void run() {
                    press((AbstractButton) component);
                }
            });
        } else if (component instanceof Button) {
            Button button = (Button) component;
            Toolkit.getDefaultToolkit().getSystemEventQueue().postEvent(
                    new ActionEvent(button, ActionEvent.ACTION_PERFORMED, button.getActionCommand()));
        } else {
            mouse(component, row == null ? visible(component) : Choice.bounds(component, row));
        }
    }

    /** Looks once more: between post and turn the button may have gone or been disabled. */
    private static void press(AbstractButton button) {
        Component home = home(button);
        if (home == null || !home.isShowing() || !button.isEnabled()) {
            return;
        }
        if (button instanceof JMenuItem && home != button) {
            MenuSelectionManager.defaultManager().clearSelectedPath();
        }
        button.doClick(0);
    }

    private static Rectangle visible(Component component) {
        return component instanceof JComponent ? ((JComponent) component).getVisibleRect()
                : new Rectangle(component.getSize());
    }

    private static void mouse(Component component, Rectangle part) {
        if (part == null || part.isEmpty()) {
            throw new IllegalArgumentException("nothing of it is visible");
        }
        Point at = new Point(part.x + part.width / 2, part.y + part.height / 2);
        long now = System.currentTimeMillis();
        int[] kinds = {MouseEvent.MOUSE_PRESSED, MouseEvent.MOUSE_RELEASED, MouseEvent.MOUSE_CLICKED};
        for (int kind : kinds) {
            int down = kind == MouseEvent.MOUSE_PRESSED ? InputEvent.BUTTON1_DOWN_MASK : 0;
            Toolkit.getDefaultToolkit().getSystemEventQueue().postEvent(
                    new MouseEvent(component, kind, now, down, at.x, at.y, 1, false, MouseEvent.BUTTON1));
        }
    }

    private static void setText(Component component, String text) {
        if (text == null) {
            throw new IllegalArgumentException("no text");
        }
        enabled(component);
        if (component instanceof JComboBox && ((JComboBox<?>) component).isEditable()) {
            ((JComboBox<?>) component).setSelectedItem(text);
        } else if (component instanceof JSpinner) {
            spin((JSpinner) component, text);
        } else if (component instanceof JTextComponent && ((JTextComponent) component).isEditable()) {
            ((JTextComponent) component).setText(text);
            if (component instanceof JFormattedTextField) {
                commit((JFormattedTextField) component);
            }
        } else if (component instanceof TextComponent && ((TextComponent) component).isEditable()) {
            ((TextComponent) component).setText(text);
        } else {
            throw new IllegalArgumentException("not editable");
        }
    }

    private static void commit(JFormattedTextField field) {
        try {
            field.commitEdit();
        } catch (ParseException wrong) {
            throw new IllegalArgumentException("the field does not take that text");
        }
    }

    private static void spin(JSpinner spinner, String text) {
        if (!(spinner.getEditor() instanceof JSpinner.DefaultEditor)) {
            throw new IllegalArgumentException("not editable");
        }
        JFormattedTextField field = ((JSpinner.DefaultEditor) spinner.getEditor()).getTextField();
        field.setText(text);
        commit(field);
    }

    private static void reveal(Component component, Integer row) {
        if (!(component instanceof JComponent)) {
            throw new IllegalArgumentException("cannot be scrolled");
        }
        Rectangle part = row == null ? new Rectangle(component.getSize()) : Choice.bounds(component, row);
        ((JComponent) component).scrollRectToVisible(part);
    }
}
