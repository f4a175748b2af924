import java.awt.BorderLayout;
import java.awt.Button;
import java.awt.Color;
import java.awt.Dimension;
import java.awt.FlowLayout;
import java.awt.GridLayout;
import java.awt.Point;
import java.awt.Rectangle;
import java.awt.TextField;
import java.awt.Window;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.List;
import javax.swing.BoxLayout;
import javax.swing.JButton;
import javax.swing.JCheckBox;
import javax.swing.JCheckBoxMenuItem;
import javax.swing.JComboBox;
import javax.swing.JDialog;
import javax.swing.JEditorPane;
import javax.swing.JFormattedTextField;
import javax.swing.JFrame;
import javax.swing.JLabel;
import javax.swing.JList;
import javax.swing.JMenu;
import javax.swing.JMenuBar;
import javax.swing.JMenuItem;
import javax.swing.JOptionPane;
import javax.swing.JPanel;
import javax.swing.JPasswordField;
import javax.swing.JProgressBar;
import javax.swing.JScrollPane;
import javax.swing.JSpinner;
import javax.swing.JTabbedPane;
import javax.swing.JTable;
import javax.swing.JTextArea;
import javax.swing.JTextField;
import javax.swing.JTextPane;
import javax.swing.JTree;
import javax.swing.SwingUtilities;
import javax.swing.Timer;
import javax.swing.tree.DefaultMutableTreeNode;
import javax.swing.tree.TreePath;

/**
 * A Swing program with one of everything, for the tests of the agent.
 *
 * It does what it is told, one word with arguments a line on standard input, on the event dispatch
 * thread, and says "done WORD" afterwards; what was done to it, it prints as well ("clicked NAME").
 */
public final class Sample {
    private static final List<Window> OPEN = new ArrayList<Window>();
    private static JLabel label;
    private static JTable table;
    private static JProgressBar bar;
    private static int shown;

    private Sample() {}

    /** Has IBG's package name in its class (guide 4.1). */
    static final class MyButton extends JButton {
        private static final long serialVersionUID = 1L;

        MyButton(String text) {
            super(text);
            addActionListener(event -> say("clicked " + getText()));
        }
    }

    /** An object whose row text only its renderer knows. */
    static final class Device {
        final String name;

        Device(String name) {
            this.name = name;
        }
    }

    static final class Thrower extends JLabel {
        private static final long serialVersionUID = 1L;

        @Override
        public String getText() {
            if (SwingUtilities.isEventDispatchThread() && ready()) {
                throw new IllegalStateException("not now");
            }
            return "";
        }

        private boolean ready() {
            return isDisplayable() && new Throwable().getStackTrace()[2].getClassName().startsWith("ibga.");
        }
    }

    public static void main(String[] arguments) throws Exception {
        say("started");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            final String[] words = line.split(" ");
            if (words[0].equals("return")) {
                // Main ends; the JVM lives only as long as AWT's own rules say.
                say("done return");
                return;
            }
            SwingUtilities.invokeLater(() -> {
                perform(words);
                say("done " + words[0]);
            });
        }
        System.exit(0);
    }

    private static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    private static void perform(String[] words) {
        switch (words[0]) {
            case "main": mainFrame(); break;
            case "kinds": kinds(); break;
            case "clip": clip(); break;
            case "second-factor": secondFactor("Second Factor Authentication"); break;
            case "card": secondFactor("Enter security code"); break;
            case "obfuscated": obfuscated(); break;
            case "grid": grid(Integer.parseInt(words[1])); break;
            case "decoy": decoy(); break;
            case "wide": wide(Integer.parseInt(words[1])); break;
            case "deep": deep(); break;
            case "thrower": thrower(); break;
            case "heavy": heavy(); break;
            case "label": label.setText(String.join(" ", words).substring(6)); break;
            case "bar": bar.setValue(Integer.parseInt(words[1])); break;
            case "cell": table.setValueAt(words[1], 0, 1); break;
            case "block": block(Long.parseLong(words[1])); break;
            case "show": show(); break;
            case "close": OPEN.remove(OPEN.size() - 1).dispose(); break;
            case "storm": storm(); break;
            case "closeall": closeAll(); break;
            default: throw new IllegalArgumentException(words[0]);
        }
    }

    private static void open(Window window, int x, int y) {
        window.pack();
        window.setLocation(x, y);
        OPEN.add(window);
        // Without a window manager Java now and then believes that a new frame lies at (0, 0) although X has
        // put it where it was told to (one in some hundred, JDK 17 and 25). Tell it again, for a second.
        long opened = System.nanoTime();
        Timer again = new Timer(50, event -> {
            if (window.isDisplayable() && !window.getLocation().equals(new Point(x, y))) {
                window.setLocation(x, y);
            }
            if (System.nanoTime() - opened > 1000000000L) {
                ((Timer) event.getSource()).stop();
            }
        });
        again.start();
        window.setVisible(true);
    }

    private static void closeAll() {
        while (!OPEN.isEmpty()) {
            OPEN.remove(OPEN.size() - 1).dispose();
        }
    }

    private static void mainFrame() {
        JFrame frame = new JFrame("IBKR Gateway");
        JMenuBar menus = new JMenuBar();
        JMenu file = new JMenu("File");
        file.add(item("Gateway Logs", true));
        file.add(item("API Logs", false));
        JMenuItem close = item("Close", true);
        close.addActionListener(event -> {
            int answer = JOptionPane.showConfirmDialog(frame, "<html>Are you <b>sure</b>?<br>Really&nbsp;?</html>",
                    "Exit", JOptionPane.YES_NO_OPTION);
            say("answered " + answer);
        });
        file.add(close);
        JMenu configure = new JMenu("Configure");
        configure.add(item("Settings", true));
        configure.add(new JCheckBoxMenuItem("Automatic Encryption", true));
        JMenu more = new JMenu("More");
        more.add(item("Deep", true));
        configure.add(more);
        menus.add(file);
        menus.add(configure);
        frame.setJMenuBar(menus);
        label = new JLabel("first");
        bar = new JProgressBar(0, 100);
        table = new JTable(new Object[][] {{"Market Data Farm", "ON: hfarm"}, {"Historical Data Farm", 3}},
                new Object[] {"Purpose", "<html><b>Status</b></html>"});
        table.setRowSelectionInterval(1, 1);
        JPanel panel = new JPanel();
        panel.setLayout(new BoxLayout(panel, BoxLayout.Y_AXIS));
        panel.add(label);
        panel.add(bar);
        panel.add(new JScrollPane(table));
        MyButton disabled = new MyButton("Disabled");
        disabled.setEnabled(false);
        panel.add(disabled);
        panel.add(new MyButton("Enabled"));
        frame.add(panel);
        frame.setPreferredSize(new Dimension(500, 300));
        frame.setDefaultCloseOperation(JFrame.DO_NOTHING_ON_CLOSE);
        frame.addWindowListener(new java.awt.event.WindowAdapter() {
            @Override
            public void windowClosing(java.awt.event.WindowEvent event) {
                say("closing");
            }
        });
        open(frame, 10, 20);
    }

    private static JMenuItem item(String text, boolean enabled) {
        JMenuItem item = new JMenuItem(text);
        item.setEnabled(enabled);
        item.addActionListener(event -> say("clicked " + text));
        return item;
    }

    private static void kinds() {
        JFrame frame = new JFrame("Kinds");
        JPanel panel = new JPanel();
        panel.setLayout(new BoxLayout(panel, BoxLayout.Y_AXIS));
        panel.add(new JLabel("<html><head><style>b {color: red}</style></head>A &lt;b&gt;<br>co<b>lou</b>r &amp; "
                + "more&#33; <p>x</p></html>"));
        JTextField user = new JTextField("trader", 10);
        user.getAccessibleContext().setAccessibleName("Username");
        panel.add(user);
        JPasswordField password = new JPasswordField("s3cret-in-the-field", 10);
        panel.add(password);
        JPanel named = new JPanel();
        named.setName("Socket port");
        named.add(new JTextField("4001", 5));
        panel.add(named);
        panel.add(new JTextArea("several\nlines \"quoted\" \\ \u0001 \u4e2d"));
        JTextPane pane = new JTextPane();
        pane.setContentType("text/html");
        pane.setText("<html><body>Change <b>security</b> device 1 &lt; 2</body></html>");
        pane.setEditable(false);
        pane.addMouseListener(new java.awt.event.MouseAdapter() {
            @Override
            public void mouseClicked(java.awt.event.MouseEvent event) {
                say("clicked link");
            }
        });
        panel.add(pane);
        JEditorPane editor = new JEditorPane("text/plain", "plain pane");
        editor.setEditable(false);
        panel.add(editor);
        JFormattedTextField formatted = new JFormattedTextField(Integer.valueOf(7));
        formatted.setName("formatted");
        panel.add(formatted);
        JSpinner spinner = new JSpinner();
        spinner.addChangeListener(event -> say("spun " + spinner.getValue()));
        panel.add(spinner);
        panel.add(new JCheckBox("Read-Only API", true));
        JComboBox<Object> combo = new JComboBox<Object>(new Object[] {"America", "Europe", "Asia", "China"});
        combo.setSelectedIndex(1);
        combo.addActionListener(event -> say("chose " + combo.getSelectedItem()));
        panel.add(combo);
        JList<Device> list = new JList<Device>(new Device[] {new Device(" IB Key"), new Device(" Mobile")});
        list.setCellRenderer((l, value, index, selected, focused) -> new JLabel(value.name));
        list.setSelectedIndex(0);
        list.addListSelectionListener(event -> say("listed " + list.getSelectedIndex()));
        panel.add(list);
        panel.add(tree());
        JTabbedPane tabs = new JTabbedPane();
        tabs.add("one", new JLabel("in one"));
        tabs.add("two", new JLabel("in two"));
        panel.add(tabs);
        frame.add(new JScrollPane(panel));
        frame.setPreferredSize(new Dimension(400, 700));
        open(frame, 0, 0);
        password.requestFocusInWindow();
    }

    private static JTree tree() {
        DefaultMutableTreeNode root = new DefaultMutableTreeNode("Configuration");
        root.add(new DefaultMutableTreeNode("General"));
        DefaultMutableTreeNode api = new DefaultMutableTreeNode("API");
        api.add(new DefaultMutableTreeNode("Settings"));
        api.add(new DefaultMutableTreeNode("Precautions"));
        root.add(api);
        JTree tree = new JTree(root);
        tree.addTreeSelectionListener(event -> say("selected " + event.getPath()));
        return tree;
    }

    private static void clip() {
        JFrame frame = new JFrame("Clip");
        JPanel panel = new JPanel(null);
        panel.setPreferredSize(new Dimension(100, 1000));
        MyButton half = new MyButton("Half");
        half.setBounds(0, 80, 100, 40);
        MyButton hidden = new MyButton("Hidden");
        hidden.setBounds(0, 900, 100, 40);
        MyButton twin = new MyButton("Twin");
        twin.setBounds(0, 0, 100, 40);
        twin.setVisible(false);
        panel.add(half);
        panel.add(hidden);
        panel.add(twin);
        JScrollPane scroll = new JScrollPane(panel);
        scroll.setPreferredSize(new Dimension(200, 100));
        scroll.setBorder(null);
        frame.add(scroll);
        open(frame, 50, 60);
    }

    private static void secondFactor(String title) {
        final JDialog dialog = new JDialog((JFrame) null, title, true);
        fillSecondFactor(dialog);
        SwingUtilities.invokeLater(() -> open(dialog, 100, 100));
    }

    private static void fillSecondFactor(JDialog dialog) {
        dialog.setLayout(new FlowLayout());
        dialog.add(new JLabel("Enter Mobile Authenticator app code"));
        dialog.add(new JTextField("314159", 8));
        dialog.add(new JTextArea("314159"));
        JComboBox<String> combo = new JComboBox<String>(new String[] {"314159"});
        combo.setEditable(true);
        dialog.add(combo);
        JTextArea heading = new JTextArea("Select second factor device");
        heading.setEditable(false);
        dialog.add(heading);
        JSpinner spinner = new JSpinner(new javax.swing.SpinnerListModel(new String[] {"314159"}));
        dialog.add(spinner);
        MyButton ok = new MyButton("OK");
        ok.addActionListener(event -> dialog.dispose());
        dialog.add(ok);
    }

    private static void obfuscated() {
        final JDialog dialog = new twslaunch.jauthentication.bh();
        fillSecondFactor(dialog);
        dialog.setTitle("IBKR Gateway");
        SwingUtilities.invokeLater(() -> open(dialog, 100, 100));
    }

    private static void grid(int count) {
        JFrame frame = new JFrame("Grid");
        JPanel panel = new JPanel(new GridLayout(0, 20));
        for (int i = 0; i < count; i++) {
            panel.add(i % 3 == 0 ? new JCheckBox("Check box " + i) : i % 3 == 1 ? new JLabel("Label number " + i)
                    : new JTextField("field " + i));
        }
        frame.add(panel);
        open(frame, 0, 0);
    }

    private static void decoy() {
        JFrame frame = new JFrame("IBKR Gateway");
        frame.setUndecorated(true);
        frame.setBounds(-30, -40, 20, 20);
        OPEN.add(frame);
        frame.setVisible(true);
    }

    private static void wide(int count) {
        JFrame frame = new JFrame("Wide");
        JPanel panel = new JPanel(null);
        for (int i = 0; i < count; i++) {
            panel.add(new JLabel("x"));
        }
        StringBuilder text = new StringBuilder();
        String[] rows = new String[3000];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = "row " + i;
            text.append("0123456789");
        }
        frame.add(panel, BorderLayout.CENTER);
        frame.add(new JScrollPane(new JList<String>(rows)), BorderLayout.WEST);
        frame.add(new JScrollPane(new JTextArea(text.toString())), BorderLayout.SOUTH);
        frame.setPreferredSize(new Dimension(400, 400));
        open(frame, 0, 0);
    }

    private static void deep() {
        JFrame frame = new JFrame("Deep");
        JPanel panel = new JPanel(new BorderLayout());
        frame.add(panel);
        for (int i = 0; i < 200; i++) {
            JPanel next = new JPanel(new BorderLayout());
            panel.add(next);
            panel = next;
        }
        open(frame, 0, 0);
    }

    private static void thrower() {
        JFrame frame = new JFrame("Thrower");
        frame.setLayout(new FlowLayout());
        frame.add(new MyButton("Before"));
        frame.add(new Thrower());
        frame.add(new MyButton("After"));
        open(frame, 0, 0);
    }

    private static void heavy() {
        java.awt.Frame frame = new java.awt.Frame("Heavy");
        frame.setLayout(new FlowLayout());
        Button button = new Button("Press");
        button.addActionListener(event -> say("clicked Press"));
        frame.add(button);
        frame.add(new TextField("plain", 10));
        TextField password = new TextField("s3cret-in-the-field", 10);
        password.setEchoChar('*');
        frame.add(password);
        frame.add(new java.awt.Checkbox("Box", true));
        frame.add(new java.awt.Label("Words"));
        open(frame, 0, 0);
    }

    private static void block(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException stop) {
            throw new IllegalStateException(stop);
        }
    }

    /** A dialog as IBG shows them, not modal so that this turn ends; prints when it was shown. */
    private static void show() {
        JDialog dialog = new JDialog(OPEN.isEmpty() ? null : (JFrame) OPEN.get(0), "Shown " + ++shown, false);
        dialog.setLayout(new FlowLayout());
        dialog.add(new JLabel("Something happened"));
        dialog.add(new MyButton("OK"));
        dialog.pack();
        dialog.setLocation(200, 200);
        OPEN.add(dialog);
        say("showing " + shown + " " + System.currentTimeMillis());
        dialog.setVisible(true);
    }

    /** Two seconds of a label that changes all the time. */
    private static void storm() {
        final javax.swing.Timer timer = new javax.swing.Timer(2, null);
        final long end = System.nanoTime() + 2000000000L;
        timer.addActionListener(event -> {
            label.setText("storm " + System.nanoTime());
            label.requestFocusInWindow();
            label.setLocation(label.getX() == 5 ? 6 : 5, 5);
            if (System.nanoTime() > end) {
                timer.stop();
                label.setText("calm");
                say("calm");
            }
        });
        timer.start();
    }
}
