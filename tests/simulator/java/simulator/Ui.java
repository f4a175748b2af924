package simulator;

import java.awt.Component;
import java.awt.Container;
import java.awt.Dimension;
import java.awt.Rectangle;
import java.awt.Toolkit;
import java.awt.Window;
import java.awt.event.ActionListener;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import javax.swing.AbstractButton;
import javax.swing.JButton;
import javax.swing.JCheckBox;
import javax.swing.JDialog;
import javax.swing.JFrame;
import javax.swing.JLabel;
import javax.swing.JToggleButton;
import javax.swing.SwingUtilities;
import javax.swing.Timer;

/** Makes components under the obfuscated class names of the scenario (classes.table). */
final class Ui {
    private final Map<String, String> classes = new HashMap<>();
    private final Events events;
    private final boolean decorated;

    /** *set* is a column of classes.table; *decorated* leaves the title bar to a window manager. */
    Ui(String set, boolean decorated, Events events) throws IOException {
        this.events = events;
        this.decorated = decorated;
        int column = -1;
        try (BufferedReader table = new BufferedReader(
                new InputStreamReader(Ui.class.getResourceAsStream("/classes.table"), StandardCharsets.UTF_8))) {
            for (String line = table.readLine(); line != null; line = table.readLine()) {
                if (line.startsWith("#")) {
                    continue;
                }
                String[] cells = line.trim().split("\\s+");
                if (column < 0) {
                    column = Arrays.asList(cells).indexOf(set);
                    if (column < 0) {
                        throw new IOException("scenario: no class set " + set + " in classes.table");
                    }
                }
                classes.put(cells[0], cells[column]);
            }
        }
    }

    <T> T make(String role, Class<T> kind) {
        try {
            return kind.cast(Class.forName(classes.get(role)).getDeclaredConstructor().newInstance());
        } catch (ReflectiveOperationException problem) {
            throw new IllegalStateException(role, problem);
        }
    }

    JFrame frame(String role, String title, String name) {
        JFrame frame = make(role, JFrame.class);
        frame.setTitle(title);
        frame.setUndecorated(!decorated);
        frame.setDefaultCloseOperation(JFrame.DO_NOTHING_ON_CLOSE);
        events.watchWindow(frame, name);
        return frame;
    }

    JDialog dialog(String role, Window owner, String title, String name) {
        try {
            JDialog dialog = (JDialog) Class.forName(classes.get(role)).getConstructor(Window.class).newInstance(owner);
            dialog.setTitle(title);
            dialog.setUndecorated(!decorated);
            dialog.setDefaultCloseOperation(JDialog.DO_NOTHING_ON_CLOSE);
            events.watchWindow(dialog, name);
            return dialog;
        } catch (ReflectiveOperationException problem) {
            throw new IllegalStateException(role, problem);
        }
    }

    JButton button(String text, ActionListener action) {
        return wire(make("button", JButton.class), text, action);
    }

    JToggleButton toggle(String text, ActionListener action) {
        return wire(make("toggle", JToggleButton.class), text, action);
    }

    JCheckBox check(String text) {
        JCheckBox check = make("check", JCheckBox.class);
        check.setText(text);
        return check;
    }

    JLabel label(String text) {
        JLabel label = make("label", JLabel.class);
        label.setText(text);
        return label;
    }

    /** The handler goes in before the component is added anywhere, so that Events hears of the press first. */
    static <B extends AbstractButton> B wire(B button, String text, ActionListener action) {
        button.setText(text);
        if (action != null) {
            button.addActionListener(action);
        }
        return button;
    }

    /** Gives *window* its wanted place, or what of it the screen has room for. */
    static void place(Window window, int width, int height) {
        Dimension screen = Toolkit.getDefaultToolkit().getScreenSize();
        int w = Math.min(width, screen.width);
        int h = Math.min(height, screen.height);
        window.setBounds(new Rectangle((screen.width - w) / 2, (screen.height - h) / 2, w, h));
    }

    /** Runs *task* on the event thread, after so long; never where that is NEVER. */
    static void later(int millis, Runnable task) {
        if (millis == Scenario.NEVER) {
            return;
        }
        if (millis <= 0) {
            SwingUtilities.invokeLater(task);
            return;
        }
        Timer timer = new Timer(millis, event -> task.run());
        timer.setRepeats(false);
        timer.start();
    }

    static void enableTree(Container container, boolean enabled) {
        for (Component child : container.getComponents()) {
            child.setEnabled(enabled);
            if (child instanceof Container) {
                enableTree((Container) child, enabled);
            }
        }
    }
}
