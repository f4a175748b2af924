package simulator;

import java.awt.BorderLayout;
import java.awt.Component;
import java.awt.Dimension;
import java.awt.FlowLayout;
import java.awt.Window;
import java.awt.event.WindowAdapter;
import java.awt.event.WindowEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import javax.swing.BorderFactory;
import javax.swing.Box;
import javax.swing.BoxLayout;
import javax.swing.ButtonGroup;
import javax.swing.DefaultListModel;
import javax.swing.JCheckBox;
import javax.swing.JComboBox;
import javax.swing.JComponent;
import javax.swing.JDialog;
import javax.swing.JLabel;
import javax.swing.JList;
import javax.swing.JPanel;
import javax.swing.JRadioButton;
import javax.swing.JScrollPane;
import javax.swing.JSpinner;
import javax.swing.JSplitPane;
import javax.swing.JTextField;
import javax.swing.JTree;
import javax.swing.tree.DefaultMutableTreeNode;
import javax.swing.tree.DefaultTreeModel;
import javax.swing.tree.TreePath;
import javax.swing.tree.TreeSelectionModel;

/** The configuration dialog (guide 6): a new one at every opening; only the selected panel's components exist. */
final class SettingsDialog {
    private final JDialog dialog;
    private final Ui ui;
    private final Scenario scenario;
    private final Dialogs dialogs;
    private final Map<String, String> draft;
    private final List<String> trusted;
    private final Consumer<SettingsDialog> apply;
    private final Runnable resetOrderIds;
    /** Each takes what its component shows into the draft; only of the panel that is present. */
    private final List<Runnable> collectors = new ArrayList<>();
    private final JPanel content;
    private String announcedRestart;

    SettingsDialog(Ui ui, Scenario scenario, Dialogs dialogs, Window owner, String account, boolean paper,
            Settings settings, List<String> trusted, Consumer<SettingsDialog> apply, Runnable resetOrderIds) {
        this.ui = ui;
        this.scenario = scenario;
        this.dialogs = dialogs;
        this.draft = settings.copy();
        this.trusted = new ArrayList<>(trusted);
        this.apply = apply;
        this.resetOrderIds = resetOrderIds;
        this.announcedRestart = restartOf(draft);
        String title = account + " Trader Workstation Configuration" + (paper ? " (Simulated Trading)" : "");
        dialog = ui.dialog("configure", owner, title, "settings");
        content = ui.make("content", JPanel.class);
        content.setLayout(new BoxLayout(content, BoxLayout.Y_AXIS));
        dialog.setContentPane(frameContent(title));
        dialog.setModal(true);
        dialog.addWindowListener(new WindowAdapter() {
            @Override
            public void windowClosing(WindowEvent event) {
                dialog.dispose();
            }
        });
        Ui.place(dialog, 768, 576);
    }

    void show() {
        dialog.setVisible(true);
    }

    Map<String, String> values() {
        return draft;
    }

    List<String> trusted() {
        return trusted;
    }

    private JPanel frameContent(String title) {
        JTree tree = tree();
        JScrollPane left = new JScrollPane(tree);
        JScrollPane right = new JScrollPane(content);
        right.getVerticalScrollBar().setUnitIncrement(16);
        JSplitPane split = ui.make("split", JSplitPane.class);
        split.setLeftComponent(left);
        split.setRightComponent(right);
        split.setDividerLocation(295);
        JPanel south = new JPanel(new FlowLayout(FlowLayout.RIGHT));
        south.add(ui.button("OK", event -> applyThen(dialog::dispose)));
        south.add(ui.button("Apply", event -> applyThen(() -> { })));
        south.add(ui.button("Cancel", event -> dialog.dispose()));
        JPanel all = new JPanel(new BorderLayout());
        if ("capitals".equals(scenario.text("titlebar", ""))) {
            all.add(new JLabel(title.toUpperCase(Locale.ROOT)), BorderLayout.NORTH);
        }
        all.add(split);
        all.add(south, BorderLayout.SOUTH);
        return all;
    }

    private JTree tree() {
        DefaultMutableTreeNode root = new DefaultMutableTreeNode("Configuration");
        for (String name : new String[] {"General", "Lock and Exit", "Messages", "API", "Presets", "Orders"}) {
            DefaultMutableTreeNode node = new DefaultMutableTreeNode(name);
            root.add(node);
            if ("API".equals(name)) {
                node.add(new DefaultMutableTreeNode("Settings"));
                node.add(new DefaultMutableTreeNode("Precautions"));
                if (scenario.flag("settings.news", true)) {
                    node.add(new DefaultMutableTreeNode("News Configuration"));
                }
            } else if ("Presets".equals(name) || "Orders".equals(name)) {
                node.add(new DefaultMutableTreeNode("Stocks"));
            }
        }
        JTree tree = ui.make("tree", JTree.class);
        tree.setModel(new DefaultTreeModel(root));
        tree.getSelectionModel().setSelectionMode(TreeSelectionModel.SINGLE_TREE_SELECTION);
        tree.addTreeSelectionListener(event -> {
            TreePath path = tree.getSelectionPath();
            if (path != null) {
                collect();
                content.removeAll();
                content.revalidate();
                content.repaint();
                Ui.later(scenario.millis("settings.panelDelay", 0.05), () -> showPanel(path));
            }
        });
        return tree;
    }

    private void collect() {
        for (Runnable collector : collectors) {
            collector.run();
        }
        collectors.clear();
    }

    private void showPanel(TreePath path) {
        collectors.clear();
        content.removeAll();
        String name = String.valueOf(path.getLastPathComponent());
        String parent = path.getPathCount() > 1 ? String.valueOf(path.getPathComponent(1)) : "";
        switch (name) {
            case "Settings":
                apiSettings();
                break;
            case "Precautions":
                precautions();
                break;
            case "Lock and Exit":
                lockAndExit();
                break;
            case "General":
                field("memory", "Memory Allocation (in MB)", new JTextField(6));
                break;
            case "Messages":
                check("instantMessages", "Show instant messages");
                break;
            case "Presets":
                field("presetSize", "Default Size", new JTextField(6));
                break;
            case "Orders":
                combo("defaultOrderType", "Default order type", "LMT", "MKT");
                break;
            default:
                row(ui.label("API".equals(parent) || "Stocks".equals(name) ? name : "Select a page on the left."));
        }
        // Wider and taller than the view (guide 6.1).
        content.setPreferredSize(null);
        Dimension size = content.getPreferredSize();
        content.setPreferredSize(new Dimension(Math.max(616, size.width), Math.max(493, size.height)));
        content.revalidate();
        content.repaint();
    }

    private void apiSettings() {
        check("readOnlyApi", "Read-Only API");
        check("totalQuantityMonetary",
            "TotalQuantity field may be used to transmit monetary value for BUY orders for mutual funds.");
        check("downloadOpenOrders", "Download open orders on connection");
        check("includeFxPositions", "Include virtual FX positions when sending portfolio.");
        check("prepareDailyPnL", "Prepare DailyPnL when downloading positions");
        combo("encoding", "Encode API messages, instrument names", "ASCII 7 (Python, Java, .NET)", "OS Code Page (C++)");
        field("socketPort", "Socket port", new JTextField(8));
        check("negativeAutoRange", "Use negative numbers to bind automatic orders");
        check("apiLogFile", "Create API message log file");
        check("apiLogMarketData", "Include market data in API log file");
        combo("loggingLevel", "Logging Level", scenario.text("settings.levels", "System|Error|Warning|Info|Detail").split("\\|"));
        if ("spinner".equals(scenario.text("settings.masterClient", "field"))) {
            spinner("masterClientId", "Master API client ID");
        } else {
            field("masterClientId", "Master API client ID", new JTextField(8));
        }
        check("marketDataInLots", "Send market data in lots for US stocks for dual-mode API clients");
        check("accountGroups", "Use Account Groups with Allocation Methods");
        check("resubmitOrders", "Maintain and resubmit orders when connection is restored");
        check("maintainConnection", "Maintain connection upon receiving incorrectly formatted fields");
        row(ui.button("Reset API order ID sequence", event -> resetOrderIds.run()));
        check("localhostOnly", "Allow connections from localhost only");
        trustedIps();
    }

    private void precautions() {
        for (int i = 0; i < Settings.PRECAUTIONS.length; i++) {
            String text = Settings.PRECAUTIONS[i];
            if ("false".equals(scenario.text("settings.precautionDots", "true")) && text.endsWith(".")) {
                text = text.substring(0, text.length() - 1);
            }
            check("bypass" + (i + 1), text);
        }
    }

    /** Guide 6.4: the time's half of the day is the radio's, whatever stands in the field. */
    private void lockAndExit() {
        row(ui.label("Auto Logoff Timer"));
        boolean restart = "Auto restart".equals(draft.get("exitKind"));
        JTextField time = new JTextField(draft.get("exitTime"), 6);
        JRadioButton am = new JRadioButton("AM", "AM".equals(draft.get("exitHalf")));
        JRadioButton pm = new JRadioButton("PM", !am.isSelected());
        JRadioButton logoff = new JRadioButton("Auto logoff", !restart);
        JRadioButton autoRestart = new JRadioButton("Auto restart", restart);
        JLabel label = ui.label(restart ? "Set Auto Restart Time (HH:MM)" : "Set Auto Log Off Time (HH:MM)");
        JLabel note = ui.label("");
        Runnable adapt = () -> {
            label.setText(autoRestart.isSelected() ? "Set Auto Restart Time (HH:MM)" : "Set Auto Log Off Time (HH:MM)");
            note.setText("The application will automatically " + (autoRestart.isSelected() ? "restart" : "log out")
                + " at " + draft.get("exitTime") + " " + draft.get("exitHalf"));
        };
        adapt.run();
        ButtonGroup halves = new ButtonGroup();
        halves.add(am);
        halves.add(pm);
        ButtonGroup kinds = new ButtonGroup();
        kinds.add(logoff);
        kinds.add(autoRestart);
        logoff.addActionListener(event -> adapt.run());
        autoRestart.addActionListener(event -> adapt.run());
        Box box = Box.createVerticalBox();
        box.add(line(label, time, am, pm));
        box.add(line(logoff, autoRestart));
        row(box);
        row(note);
        collectors.add(() -> {
            draft.put("exitHalf", am.isSelected() ? "AM" : "PM");
            draft.put("exitKind", autoRestart.isSelected() ? "Auto restart" : "Auto logoff");
            String digits = time.getText().replaceAll("[^0-9:]", "");
            if (digits.matches("(0[1-9]|1[0-2]):[0-5][0-9]")) {
                draft.put("exitTime", digits);
            }
        });
    }

    private void trustedIps() {
        DefaultListModel<String> model = new DefaultListModel<>();
        for (String address : trusted) {
            model.addElement(address);
        }
        JList<String> list = new JList<>(model);
        JScrollPane pane = new JScrollPane(list);
        pane.setPreferredSize(new Dimension(200, 70));
        Runnable take = () -> {
            trusted.clear();
            for (int i = 0; i < model.size(); i++) {
                trusted.add(model.get(i));
            }
        };
        row(ui.label("Trusted IPs"), pane,
            ui.button("Create", event -> askAddress("", address -> {
                model.addElement(address);
                take.run();
            })),
            ui.button("Edit", event -> {
                int at = list.getSelectedIndex();
                if (at >= 0) {
                    askAddress(model.get(at), address -> {
                        model.set(at, address);
                        take.run();
                    });
                }
            }),
            ui.button("Delete", event -> {
                if (list.getSelectedIndex() >= 0) {
                    model.remove(list.getSelectedIndex());
                    take.run();
                }
            }));
    }

    /** The small input dialog titled "Gateway" (guide 6.3). */
    private void askAddress(String present, Consumer<String> entered) {
        JDialog input = ui.dialog("messages", dialog, "Gateway", "trusted-ip");
        JTextField address = new JTextField(present, 16);
        JPanel panel = line(ui.label("Enter an IP address"), address,
            ui.button("OK", event -> {
                input.dispose();
                if (!address.getText().trim().isEmpty()) {
                    entered.accept(address.getText().trim());
                }
            }),
            ui.button("Cancel", event -> input.dispose()));
        panel.setBorder(BorderFactory.createEmptyBorder(20, 20, 20, 20));
        input.setContentPane(panel);
        input.setModal(true);
        input.pack();
        Ui.place(input, input.getWidth(), input.getHeight());
        input.setVisible(true);
    }

    private void check(String key, String text) {
        JCheckBox check = ui.check(text);
        check.setSelected(Boolean.parseBoolean(draft.get(key)));
        row(check);
        collectors.add(() -> draft.put(key, String.valueOf(check.isSelected())));
    }

    private void combo(String key, String text, String... rows) {
        JComboBox<String> combo = new JComboBox<>(rows);
        combo.setSelectedItem(draft.get(key));
        row(ui.label(text), combo);
        collectors.add(() -> draft.put(key, String.valueOf(combo.getSelectedItem())));
    }

    private void field(String key, String text, JTextField field) {
        field.setText(draft.get(key));
        row(ui.label(text), field).setName(text);
        collectors.add(() -> draft.put(key, field.getText().trim()));
    }

    private void spinner(String key, String text) {
        JSpinner spinner = new JSpinner();
        spinner.setValue(draft.get(key).isEmpty() ? 0 : Integer.parseInt(draft.get(key)));
        spinner.setPreferredSize(new Dimension(90, 20));
        row(ui.label(text), spinner).setName(text);
        collectors.add(() -> draft.put(key, "0".equals(spinner.getValue().toString()) ? "" : spinner.getValue().toString()));
    }

    private JComponent row(Component... components) {
        JPanel row = ui.make("row", JPanel.class);
        row.setLayout(new FlowLayout(FlowLayout.LEFT, 6, scenario.number("settings.rowGap", 2)));
        for (Component component : components) {
            row.add(component);
        }
        row.setAlignmentX(Component.LEFT_ALIGNMENT);
        row.setMaximumSize(new Dimension(Integer.MAX_VALUE, row.getPreferredSize().height));
        content.add(row);
        return row;
    }

    private static JPanel line(Component... components) {
        JPanel line = new JPanel(new FlowLayout(FlowLayout.LEFT));
        for (Component component : components) {
            line.add(component);
        }
        return line;
    }

    private static String restartOf(Map<String, String> values) {
        return "Auto restart".equals(values.get("exitKind")) ? values.get("exitTime") + values.get("exitHalf") : "";
    }

    /** Applies; a chosen auto restart is explained by a dialog on top, and only then comes *after* (guide 6.6). */
    private void applyThen(Runnable after) {
        List<Runnable> present = new ArrayList<>(collectors);
        collect();
        collectors.addAll(present);
        apply.accept(this);
        String restart = restartOf(draft);
        boolean announce = !restart.isEmpty() && !restart.equals(announcedRestart);
        announcedRestart = restart;
        if (announce) {
            Ui.later(scenario.millis("settings.infoDelay", 0.3), () -> dialogs.show("auto-restart-info", text -> after.run()));
        } else {
            after.run();
        }
    }
}
