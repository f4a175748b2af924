package simulator;

import java.awt.BorderLayout;
import java.awt.Color;
import java.awt.Container;
import java.awt.Dimension;
import java.awt.FlowLayout;
import java.awt.Font;
import java.awt.Graphics;
import java.awt.GridLayout;
import java.awt.Window;
import java.awt.event.MouseAdapter;
import java.awt.event.MouseEvent;
import java.awt.event.WindowAdapter;
import java.awt.event.WindowEvent;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
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
import javax.swing.ImageIcon;
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
    static final Map<String, String> NOTHING = Collections.emptyMap();

    /** What a dialog held when it was answered. */
    static final class Answer {
        /** The text of the pressed button, or "" where the dialog closed by itself. */
        String button = "";
        /** Whether the dialog stays open (`keep`). */
        boolean kept;
        /** The selected row of its list, or null. */
        String row;
        /** What its text field holds, or null without one. */
        String text;
        /** The texts of the ticked check boxes. */
        final List<String> checked = new ArrayList<>();
    }

    /** A dialog that was asked for, for whoever wants it gone again. */
    static final class Handle {
        private Runnable close;
        private boolean closed;
        private final Form form = new Form();

        /** Takes it away without an answer, as the program itself does. */
        void close() {
            closed = true;
            if (close != null) {
                close.run();
            }
        }

        /** Empties its field and says *text* above the buttons. */
        void note(String text) {
            form.note.setText(text);
            form.note.setVisible(true);
            if (form.field != null) {
                form.field.setText("");
            }
        }
    }

    /** The components that an answer is read from. */
    private static final class Form {
        JList<String> list;
        JTextField field;
        final List<JCheckBox> checks = new ArrayList<>();
        final JLabel note = new JLabel();

        Answer read(String button) {
            Answer answer = new Answer();
            answer.button = button;
            answer.row = list == null ? null : list.getSelectedValue();
            answer.text = field == null ? null : field.getText();
            for (JCheckBox check : checks) {
                if (check.isSelected()) {
                    answer.checked.add(check.getText());
                }
            }
            return answer;
        }
    }

    private final Ui ui;
    private final Scenario scenario;
    private final Events events;
    private final Supplier<Window> owner;
    private final Consumer<String> command;
    /** Window objects that show several dialogs in turn (`dialog.NAME.reuse`). */
    private final Map<String, Window> reused = new HashMap<>();
    private final Map<String, List<Window>> open = new LinkedHashMap<>();
    private final List<Runnable> closers = new ArrayList<>();

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

    private String title(String name) {
        String title = scenario.text("dialogs.title", get(name, "title", scenario.text("title", "IBKR Gateway")));
        return scenario.flag("dialogs.capitals", false) ? title.toUpperCase(Locale.ROOT) : title;
    }

    /** Shows dialog *name*; *answered* gets the text of the pressed button, or "" where it closed by itself. */
    Handle show(String name, Consumer<String> answered) {
        return show(name, NOTHING, answer -> {
            if (!answer.kept) {
                answered.accept(answer.button);
            }
        }, link -> { });
    }

    /**
     * Shows dialog *name*, whose keys are those of *fill*, else of the scenario.
     *
     * *answered* gets what it held; more than once where buttons keep it open. *linked* gets the text of a link.
     */
    Handle show(String name, Map<String, String> fill, Consumer<Answer> answered, Consumer<String> linked) {
        Handle handle = new Handle();
        // In a later turn of the queue, because a modal dialog blocks whoever shows it.
        Ui.later(scenario.millis("dialog." + name + ".delay", 0), () -> {
            if (!handle.closed) {
                open(name, fill, handle, answered, linked);
            }
        });
        return handle;
    }

    private void open(String name, Map<String, String> fill, Handle handle, Consumer<Answer> answered,
            Consumer<String> linked) {
        String title = title(name);
        boolean frame = Boolean.parseBoolean(get(name, "frame", "false"));
        boolean modal = Boolean.parseBoolean(get(name, "modal", "true"));
        String role = get(name, "class", frame ? "notice" : "messages");
        String reuse = fill.getOrDefault("reuse", get(name, "reuse", ""));
        boolean stay = Boolean.parseBoolean(fill.getOrDefault("stay", get(name, "stay", "false")));
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
        List<String> keep = Arrays.asList(fill.getOrDefault("keep", get(name, "keep", "")).split("\\|"));
        boolean[] done = new boolean[1];
        handle.close = () -> {
            if (!done[0]) {
                done[0] = true;
                closers.remove(handle.close);
                close(name, shown, !key.isEmpty(), stay);
            }
        };
        closers.add(handle.close);
        Consumer<String> press = text -> {
            if (!done[0]) {
                Answer answer = handle.form.read(text);
                answer.kept = !text.isEmpty() && keep.contains(text);
                if (!answer.kept) {
                    handle.close.run();
                }
                runThen(name, text);
                answered.accept(answer);
            }
        };
        Consumer<String> link = text -> {
            runThen(name, text);
            linked.accept(text);
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
                press.accept("");
            }
        });
        ((RootPaneContainer) window).setContentPane(content(name, fill, title, handle.form, press, link));
        window.pack();
        String[] size = get(name, "size", "0x0").split("x");
        Ui.place(window, Math.max(window.getWidth() + 20, Integer.parseInt(size[0])),
            Math.max(window.getHeight() + 10, Integer.parseInt(size[1])));
        window.validate();
        open.computeIfAbsent(name, unused -> new ArrayList<>()).add(window);
        int timeout = scenario.millis("dialog." + name + ".timeout", 0);
        if (timeout > 0) {
            Ui.later(timeout, () -> press.accept(""));
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

    private void close(String name, Window window, boolean keep, boolean stay) {
        List<Window> windows = open.getOrDefault(name, new ArrayList<>());
        windows.remove(window);
        if (!keep) {
            window.dispose();
        } else if (!stay) {
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

    /** Takes away the window that the dialogs of one `reuse` share, where it stayed. */
    void hide(String reuse) {
        if (isShowing(reuse)) {
            reused.get(reuse).setVisible(false);
        }
    }

    /** Closes all that are open, without an answer. */
    void closeAll() {
        for (Runnable close : new ArrayList<>(closers)) {
            close.run();
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

    private JPanel content(String name, Map<String, String> fill, String title, Form form, Consumer<String> answered,
            Consumer<String> linked) {
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
        String text = fill.getOrDefault("text", get(name, "text", ""));
        boolean optionPane = "optionpane".equals(kind);
        JPanel middle = new JPanel();
        middle.setLayout(new BoxLayout(middle, BoxLayout.Y_AXIS));
        if (!text.isEmpty() && !optionPane) {
            middle.add(message(kind, text));
        }
        for (String part : scenario.list("dialog." + name + ".parts", ",", "")) {
            middle.add(part(part.trim(), name, fill, form, answered));
        }
        for (String check : scenario.list("dialog." + name + ".checks", "|", "")) {
            JCheckBox box = ui.check(check);
            form.checks.add(box);
            middle.add(box);
        }
        for (String link : scenario.list("dialog." + name + ".links", "|", "")) {
            JComponent pane = message("textpane", "<html><u>" + link + "</u></html>");
            pane.addMouseListener(new MouseAdapter() {
                @Override
                public void mousePressed(MouseEvent event) {
                    events.link(pane, link);
                    linked.accept(link);
                }
            });
            middle.add(pane);
        }
        form.note.setVisible(false);
        middle.add(form.note);
        if (optionPane) {
            // With nothing but a text, the message is a String, as most programs write it.
            Object message = middle.getComponentCount() == 1 ? text : new Object[] {text, middle};
            content.add(new JOptionPane(message, JOptionPane.INFORMATION_MESSAGE, JOptionPane.DEFAULT_OPTION, null,
                buttons.toArray()));
            return content;
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
    private JComponent part(String part, String name, Map<String, String> fill, Form form, Consumer<String> answered) {
        switch (part) {
            case "list":
                JList<String> list = new JList<>(fill.getOrDefault("rows", get(name, "rows", " One| Two")).split("\\|"));
                list.setSelectedIndex(Integer.parseInt(fill.getOrDefault("row", get(name, "row", "0"))));
                form.list = list;
                list.addListSelectionListener(event -> events.write("selected", "dialog", name, "row",
                    list.getSelectedValue()));
                return new JScrollPane(list);
            case "field":
                JTextField field = ui.make("code", JTextField.class);
                field.setColumns(12);
                form.field = field;
                return field;
            case "image":
                return new JLabel(challenge());
            case "painted":
                return new Painted(get(name, "painted", "").split("\\|"), events, answered);
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

    /** A card's challenge: indices as a picture, as no program can read them (guide 4.4). */
    private static ImageIcon challenge() {
        BufferedImage image = new BufferedImage(160, 40, BufferedImage.TYPE_INT_RGB);
        Graphics drawing = image.getGraphics();
        drawing.drawString("17 and 203", 20, 25);
        drawing.dispose();
        return new ImageIcon(image);
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
        Timer timer = new Timer(gap, event -> open(name, NOTHING, new Handle(),
            answer -> benchStep(done + 1, count, gap, names), link -> { }));
        timer.setRepeats(false);
        timer.start();
    }
}
