package simulator;

import java.awt.BorderLayout;
import java.awt.Color;
import java.awt.Container;
import java.awt.Dimension;
import java.awt.FlowLayout;
import java.awt.Font;
import java.awt.GridLayout;
import java.awt.Window;
import java.awt.event.WindowAdapter;
import java.awt.event.WindowEvent;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import javax.swing.AbstractButton;
import javax.swing.BorderFactory;
import javax.swing.Box;
import javax.swing.BoxLayout;
import javax.swing.JCheckBox;
import javax.swing.JComponent;
import javax.swing.JDialog;
import javax.swing.JFrame;
import javax.swing.JLabel;
import javax.swing.JList;
import javax.swing.JOptionPane;
import javax.swing.JPanel;
import javax.swing.JPasswordField;
import javax.swing.JProgressBar;
import javax.swing.JRadioButton;
import javax.swing.JScrollPane;
import javax.swing.JSpinner;
import javax.swing.JTabbedPane;
import javax.swing.JTable;
import javax.swing.JTextArea;
import javax.swing.JTextField;
import javax.swing.JTextPane;
import javax.swing.JTree;
import javax.swing.RootPaneContainer;
import javax.swing.SwingUtilities;
import javax.swing.Timer;

/**
 * Dialogs as data: `dialog.NAME.*` of the scenario, over the built-in catalogue (dialogs.properties, guide 4).
 *
 * All methods belong on the event thread.
 */
final class Dialogs {
    private final Ui ui;
    private final Scenario scenario;
    private final Events events;
    private final Supplier<Window> owner;
    private final Consumer<String> command;
    /** Window objects that show several dialogs in turn (`dialog.NAME.reuse`). */
    private final Map<String, Window> reused = new HashMap<>();
    private final Map<String, List<Window>> open = new LinkedHashMap<>();

    Dialogs(Ui ui, Scenario scenario, Events events, Supplier<Window> owner, Consumer<String> command) {
        this.ui = ui;
        this.scenario = scenario;
        this.events = events;
        this.owner = owner;
        this.command = command;
    }

    private String get(String name, String key, String otherwise) {
        return scenario.text("dialog." + name + "." + key, otherwise);
    }

    /** Shows dialog *name*; *answered* gets the text of the pressed button, or "" where it closed by itself. */
    void show(String name, Consumer<String> answered) {
        // In a later turn of the queue, because a modal dialog blocks whoever shows it.
        Ui.later(scenario.millis("dialog." + name + ".delay", 0), () -> open(name, answered));
    }

    private void open(String name, Consumer<String> answered) {
        String title = get(name, "title", scenario.text("title", "IBKR Gateway"));
        boolean frame = Boolean.parseBoolean(get(name, "frame", "false"));
        boolean modal = Boolean.parseBoolean(get(name, "modal", "true"));
        String role = get(name, "class", frame ? "notice" : "messages");
        String reuse = get(name, "reuse", "");
        if (reuse.isEmpty() && scenario.flag("dialogs.reuse", false) && !isShowing(role)) {
            reuse = role;
        }
        String key = reuse;
        Window window = reused.get(key);
        if (window == null) {
            window = frame ? ui.frame(role, title, name) : ui.dialog(role, owner.get(), title, name);
            if (!key.isEmpty()) {
                reused.put(key, window);
            }
        }
        events.rename(window, name);
        Window shown = window;
        Consumer<String> once = new Consumer<String>() {
            private boolean done;

            @Override
            public void accept(String text) {
                if (!done) {
                    done = true;
                    close(name, shown, !key.isEmpty());
                    runThen(name, text);
                    answered.accept(text);
                }
            }
        };
        if (window instanceof JDialog) {
            ((JDialog) window).setTitle(title);
        } else {
            ((JFrame) window).setTitle(title);
        }
        for (java.awt.event.WindowListener listener : window.getWindowListeners()) {
            window.removeWindowListener(listener);
        }
        window.addWindowListener(new WindowAdapter() {
            @Override
            public void windowClosing(WindowEvent event) {
                events.write("window-exit", "window", Events.title(shown), "dialog", name);
                once.accept("");
            }
        });
        ((RootPaneContainer) window).setContentPane(content(name, title, once));
        window.pack();
        String[] size = get(name, "size", "0x0").split("x");
        Ui.place(window, Math.max(window.getWidth() + 20, Integer.parseInt(size[0])),
            Math.max(window.getHeight() + 10, Integer.parseInt(size[1])));
        window.validate();
        open.computeIfAbsent(name, unused -> new ArrayList<>()).add(window);
        int timeout = scenario.millis("dialog." + name + ".timeout", 0);
        if (timeout > 0) {
            Ui.later(timeout, () -> once.accept(""));
        }
        if (window.isVisible()) {
            events.windowShown(window, name);
            window.repaint();
            return;
        }
        if (window instanceof JDialog) {
            ((JDialog) window).setModal(modal);
        }
        window.setVisible(true);
    }

    private boolean isShowing(String key) {
        return reused.containsKey(key) && reused.get(key).isVisible();
    }

    private void close(String name, Window window, boolean keep) {
        List<Window> windows = open.getOrDefault(name, new ArrayList<>());
        windows.remove(window);
        if (!keep) {
            window.dispose();
        } else if (!Boolean.parseBoolean(get(name, "stay", "false"))) {
            window.setVisible(false);
        }
    }

    /** Closes the newest open dialog *name*, as if by itself. */
    void dismiss(String name) {
        List<Window> windows = open.getOrDefault(name, new ArrayList<>());
        if (!windows.isEmpty()) {
            Window window = windows.get(windows.size() - 1);
            window.dispatchEvent(new WindowEvent(window, WindowEvent.WINDOW_CLOSING));
        }
    }

    private void runThen(String name, String text) {
        for (String line : scenario.list("dialog." + name + ".then." + text, ";", "")) {
            command.accept(line.trim());
        }
    }

    /** Whether pressing *text* in *name* lets the matter at hand go on. */
    boolean goesOn(String name, String text) {
        return scenario.list("dialog." + name + ".go", "|", "").contains(text);
    }

    private JPanel content(String name, String title, Consumer<String> answered) {
        JPanel content = new JPanel(new BorderLayout(8, 8));
        content.setBorder(BorderFactory.createCompoundBorder(BorderFactory.createLineBorder(Color.GRAY),
            BorderFactory.createEmptyBorder(10, 12, 10, 12)));
        if ("capitals".equals(scenario.text("titlebar", ""))) {
            content.add(new JLabel(title.toUpperCase(Locale.ROOT)), BorderLayout.NORTH);
        }
        List<AbstractButton> buttons = new ArrayList<>();
        for (String text : scenario.list("dialog." + name + ".buttons", "|", "OK")) {
            buttons.add(ui.button(text, event -> answered.accept(text)));
        }
        String kind = scenario.text("dialogs.kind", get(name, "kind", "label"));
        String text = get(name, "text", "");
        if ("optionpane".equals(kind)) {
            content.add(new JOptionPane(text, JOptionPane.INFORMATION_MESSAGE, JOptionPane.DEFAULT_OPTION, null,
                buttons.toArray()));
            return content;
        }
        JPanel middle = new JPanel();
        middle.setLayout(new BoxLayout(middle, BoxLayout.Y_AXIS));
        if (!text.isEmpty()) {
            middle.add(message(kind, text));
        }
        for (String part : scenario.list("dialog." + name + ".parts", ",", "")) {
            middle.add(part(part.trim(), name));
        }
        for (String check : scenario.list("dialog." + name + ".checks", "|", "")) {
            middle.add(ui.check(check));
        }
        for (String link : scenario.list("dialog." + name + ".links", "|", "")) {
            middle.add(message("textpane", "<html><u>" + link + "</u></html>"));
        }
        content.add(middle);
        JPanel south = new JPanel(new FlowLayout(FlowLayout.RIGHT));
        for (AbstractButton button : buttons) {
            south.add(button);
        }
        content.add(south, BorderLayout.SOUTH);
        return content;
    }

    private JComponent message(String kind, String text) {
        if ("textpane".equals(kind)) {
            JTextPane pane = new JTextPane();
            pane.setContentType("text/html");
            pane.setText(text);
            pane.setEditable(false);
            return pane;
        }
        if ("textarea".equals(kind)) {
            JTextArea area = new JTextArea(text);
            area.setEditable(false);
            return area;
        }
        if ("html".equals(kind) || scenario.flag("html.labels", false)) {
            return ui.label(text.startsWith("<html>") ? text : "<html>" + text.replace("\n", "<br>") + "</html>");
        }
        return ui.label(text);
    }

    /** One component of each kind that Swing has, for dialogs of any make. */
    private JComponent part(String part, String name) {
        switch (part) {
            case "list":
                JList<String> list = new JList<>(scenario.list("dialog." + name + ".rows", "|", " One| Two")
                    .toArray(new String[0]));
                list.setSelectedIndex(0);
                list.addListSelectionListener(event -> events.write("selected", "dialog", name, "row",
                    list.getSelectedValue()));
                return new JScrollPane(list);
            case "field":
                JTextField field = ui.make("code", JTextField.class);
                field.setColumns(12);
                return field;
            case "password":
                return new JPasswordField(12);
            case "spinner":
                return new JSpinner();
            case "table":
                return new JTable(new String[][] {{"a1", "b1"}, {"a2", "b2"}}, new String[] {"A", "B"});
            case "tree":
                return new JTree();
            case "tabs":
                JTabbedPane tabs = new JTabbedPane();
                tabs.addTab("First", new JLabel("on the first tab"));
                tabs.addTab("Second", new JLabel("on the second tab"));
                return tabs;
            case "progress":
                JProgressBar bar = new JProgressBar(0, 100);
                bar.setValue(37);
                return bar;
            case "radio":
                return new JRadioButton("A radio button");
            case "combo":
                return new javax.swing.JComboBox<>(new String[] {"Red", "Green", "Blue"});
            case "scroll":
                JPanel tall = new JPanel(new GridLayout(0, 1));
                for (int i = 0; i < 40; i++) {
                    tall.add(new JLabel("Line " + i));
                }
                tall.add(ui.button("Far below", null));
                JScrollPane inner = new JScrollPane(tall);
                inner.setPreferredSize(new Dimension(200, 150));
                JPanel around = new JPanel();
                around.add(inner);
                JScrollPane outer = new JScrollPane(around);
                outer.setPreferredSize(new Dimension(180, 120));
                return outer;
            default:
                JLabel label = new JLabel(part);
                label.setFont(label.getFont().deriveFont(Font.ITALIC));
                return label;
        }
    }

    /** A window with *count* components, for measuring a walk. */
    void bigWindow(int count) {
        JFrame frame = ui.frame("notice", "Many components", "big");
        JPanel grid = new JPanel(new GridLayout(0, 20));
        for (int i = 0; i < count; i++) {
            grid.add(i % 3 == 0 ? new JCheckBox("c" + i) : i % 3 == 1 ? new JLabel("l" + i) : ui.button("b" + i, null));
        }
        frame.setContentPane(new JScrollPane(grid));
        Ui.place(frame, 1000, 700);
        frame.setVisible(true);
    }

    /** Shows *count* dialogs one after another, each *gap* ms after the former was answered. */
    void bench(int count, int gap, List<String> names) {
        benchStep(0, count, gap, names);
    }

    private void benchStep(int done, int count, int gap, List<String> names) {
        if (done == count) {
            events.write("bench-done", "dialogs", count);
            return;
        }
        String name = names.get(done % names.size());
        // Not from within the former dialog's press: the pause starts when that is over.
        Timer timer = new Timer(gap, event -> open(name, text -> benchStep(done + 1, count, gap, names)));
        timer.setRepeats(false);
        timer.start();
    }
}
