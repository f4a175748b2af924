package simulator;

import java.awt.BorderLayout;
import java.awt.Color;
import java.awt.Component;
import java.awt.Dimension;
import java.awt.FlowLayout;
import java.awt.GridLayout;
import java.awt.Toolkit;
import java.awt.event.WindowAdapter;
import java.awt.event.WindowEvent;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.swing.BorderFactory;
import javax.swing.Box;
import javax.swing.JCheckBoxMenuItem;
import javax.swing.JFrame;
import javax.swing.JLabel;
import javax.swing.JMenu;
import javax.swing.JMenuBar;
import javax.swing.JMenuItem;
import javax.swing.JPanel;
import javax.swing.JScrollPane;
import javax.swing.JTabbedPane;
import javax.swing.JTable;
import javax.swing.JTextArea;
import javax.swing.table.DefaultTableModel;

/** The main window (guide 5): menus in the title strip, connection status, a tab per API client. */
final class MainWindow {
    /** What a menu item does; the caller decides whether it is too early for it. */
    interface Menu {
        void chosen(String path);
    }

    final JFrame frame;
    private final Map<String, JMenu> menus = new LinkedHashMap<>();
    private final Map<String, JMenuItem> items = new LinkedHashMap<>();
    private final JTabbedPane tabs = new JTabbedPane();
    private final Map<Integer, JTextArea> clients = new LinkedHashMap<>();
    private final JTextArea log = new JTextArea();
    private final String[] purposes = {"Interactive Brokers API Server", "Market Data Farm", "Historical Data Farm"};
    private final JLabel[] states = {new JLabel(), new JLabel(), new JLabel()};
    private final DefaultTableModel table = new DefaultTableModel(new String[] {"Purpose", "Status"}, 0);

    MainWindow(Ui ui, Scenario scenario, JtsIni ini, Menu menu, Runnable close) {
        frame = ui.frame("main", scenario.text("title", "IBKR Gateway"), "main");
        frame.setJMenuBar(menuBar(ui, scenario, menu));
        frame.setContentPane(content(ui, scenario));
        frame.addWindowListener(new WindowAdapter() {
            @Override
            public void windowClosing(WindowEvent event) {
                close.run();
            }
        });
        Dimension screen = Toolkit.getDefaultToolkit().getScreenSize();
        int width = Math.min(screen.width, Integer.parseInt(ini.get("IBGateway", "MainWindow.Width", "700")));
        int height = Math.min(screen.height, Integer.parseInt(ini.get("IBGateway", "MainWindow.Height", "550")));
        frame.setBounds((screen.width - width) / 2, (screen.height - height) / 2, width, height);
        setStatus(false, false);
    }

    private JMenuBar menuBar(Ui ui, Scenario scenario, Menu menu) {
        JMenuBar bar = new JMenuBar();
        bar.add(new JLabel(" IBKRPRO  IB GATEWAY  "));
        add(bar, menu, "File", "Gateway Logs", "API Logs", "Close");
        add(bar, menu, "Configure", "Settings", "Automatic Encryption");
        add(bar, menu, "Help", scenario.text("main.about", "About IB Gateway"));
        bar.add(Box.createHorizontalGlue());
        bar.add(ui.button("_", event -> frame.setExtendedState(JFrame.ICONIFIED)));
        bar.add(ui.button("X", event -> frame.dispatchEvent(new WindowEvent(frame, WindowEvent.WINDOW_CLOSING))));
        return bar;
    }

    private void add(JMenuBar bar, Menu handler, String name, String... texts) {
        JMenu menu = new JMenu(name);
        for (String text : texts) {
            JMenuItem item = "Automatic Encryption".equals(text) ? new JCheckBoxMenuItem(text, true) : new JMenuItem(text);
            item.addActionListener(event -> handler.chosen(name + " > " + text));
            menu.add(item);
            items.put(name + " > " + text, item);
        }
        menus.put(name, menu);
        bar.add(menu);
    }

    private JPanel content(Ui ui, Scenario scenario) {
        JPanel top = new JPanel(new BorderLayout());
        top.setBorder(BorderFactory.createEmptyBorder(8, 8, 8, 8));
        top.add(new JLabel("Connection Status"), BorderLayout.NORTH);
        if ("table".equals(scenario.text("main.status", "labels"))) {
            for (String purpose : purposes) {
                table.addRow(new String[] {purpose, ""});
            }
            JScrollPane pane = new JScrollPane(new JTable(table));
            pane.setPreferredSize(new Dimension(600, 80));
            top.add(pane);
        } else {
            JPanel grid = new JPanel(new GridLayout(0, 2));
            grid.add(new JLabel("Purpose"));
            grid.add(new JLabel("Status"));
            for (int i = 0; i < purposes.length; i++) {
                String purpose = purposes[i];
                grid.add(new JLabel(scenario.flag("html.labels", false) ? "<html><b>" + purpose + "</b></html>" : purpose));
                grid.add(states[i]);
            }
            top.add(grid);
        }
        JPanel checks = new JPanel(new FlowLayout(FlowLayout.LEFT));
        checks.add(ui.check("Show log"));
        checks.add(ui.check("Show API messages"));
        checks.add(ui.button("Clear", event -> {
            Component shown = tabs.getSelectedComponent();
            ((JTextArea) ((JScrollPane) shown).getViewport().getView()).setText("");
        }));
        top.add(checks, BorderLayout.SOUTH);
        log.setEditable(false);
        tabs.addTab("Log", new JScrollPane(log));
        JPanel content = new JPanel(new BorderLayout());
        content.add(top, BorderLayout.NORTH);
        content.add(tabs);
        return content;
    }

    void setStatus(boolean server, boolean farms) {
        String[] texts = {server ? "connected" : "disconnected", farms ? "ON: usfarm" : "OFF: usfarm",
            farms ? "ON: ushmds" : "OFF: ushmds"};
        for (int i = 0; i < texts.length; i++) {
            boolean good = i == 0 ? server : farms;
            states[i].setText(texts[i]);
            states[i].setForeground(good ? new Color(0, 128, 0) : Color.RED);
            if (i < table.getRowCount()) {
                table.setValueAt(texts[i], i, 1);
            }
        }
    }

    void setFixMode(boolean fix) {
        // Greyed in FIX mode (guide 2.2).
        items.get("File > Gateway Logs").setEnabled(!fix);
        items.get("Configure > Settings").setEnabled(!fix);
    }

    /** Pops up *name*'s menu, as a person's click would. */
    void openMenu(String name) {
        menus.get(name).doClick(0);
    }

    /** Fires *path* ("File > Close") without opening its menu. */
    void press(String path) {
        items.get(path).doClick(0);
    }

    void message(String text) {
        log.append(text + "\n");
    }

    void addClient(int id) {
        JTextArea area = new JTextArea();
        area.setEditable(false);
        clients.put(id, area);
        tabs.addTab("API Client " + id, new JScrollPane(area));
    }

    void clientMessage(int id, String text) {
        JTextArea area = clients.get(id);
        if (area != null && area.getDocument().getLength() < 20_000) {
            area.append(text + "\n");
        }
    }

    void removeClient(int id) {
        clients.remove(id);
        int tab = tabs.indexOfTab("API Client " + id);
        if (tab >= 0) {
            tabs.removeTabAt(tab);
        }
    }
}
