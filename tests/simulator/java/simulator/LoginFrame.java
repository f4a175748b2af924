package simulator;

import java.awt.BorderLayout;
import java.awt.CardLayout;
import java.awt.Component;
import java.awt.Container;
import java.awt.Dimension;
import java.awt.FlowLayout;
import java.awt.Window;
import java.awt.event.WindowAdapter;
import java.awt.event.WindowEvent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Consumer;
import javax.swing.Box;
import javax.swing.BoxLayout;
import javax.swing.ButtonGroup;
import javax.swing.JButton;
import javax.swing.JComboBox;
import javax.swing.JFrame;
import javax.swing.JLabel;
import javax.swing.JPanel;
import javax.swing.JPasswordField;
import javax.swing.JScrollPane;
import javax.swing.JTextField;
import javax.swing.JToggleButton;
import javax.swing.event.DocumentEvent;
import javax.swing.event.DocumentListener;
import javax.swing.text.JTextComponent;

/** The first window (guide 3): both API types, both trading modes, and a scroll pane around the form. */
final class LoginFrame {
    /** What the form held when Log In was pressed. */
    static final class Login {
        String user;
        char[] password;
        String mode;
        String tab;
        String region;
        String timeZone;
        /** The market data login of the FIX tab, both empty where not wanted. */
        String dataUser = "";
        char[] dataPassword = {};

        boolean fix() {
            return FIX.equals(tab);
        }
    }

    static final String FIX = "FIX CTCI";

    private static final String INVALID = "[^A-Za-z0-9._@-]";

    final JFrame frame;
    private final Ui ui;
    private final Scenario scenario;
    private final Consumer<Login> submit;
    private final JToggleButton fixTab;
    private final JToggleButton apiTab;
    private final JToggleButton live;
    private final JToggleButton paper;
    private final JPanel cards = new JPanel(new CardLayout());
    private final JPanel more = new JPanel();
    /** Null without `ApiOnly` in jts.ini. */
    private JPanel modeRow;
    private final JLabel connecting = new JLabel(" ");
    private final List<JTextField> apiFields = new ArrayList<>();
    private final List<JTextField> fixFields = new ArrayList<>();
    private final List<JButton> buttons = new ArrayList<>();
    private final JComboBox<String> region = new JComboBox<>(new String[] {"America", "Europe", "Asia", "China"});
    private final JComboBox<String> timeZone = new JComboBox<>(zones());

    LoginFrame(Ui ui, Scenario scenario, JtsIni ini, Consumer<Login> submit, Runnable close) {
        this.ui = ui;
        this.scenario = scenario;
        this.submit = submit;
        frame = ui.frame("login", scenario.text("title", "IBKR Gateway"), "login");
        fixTab = ui.toggle(FIX, event -> selectTab());
        apiTab = ui.toggle(scenario.text("login.apiText", "IB API"), event -> selectTab());
        live = ui.toggle("Live Trading", event -> modeChanged());
        paper = ui.toggle("Paper Trading", event -> modeChanged());
        group(fixTab, apiTab);
        group(live, paper);
        apiTab.setSelected(!"false".equals(ini.get("IBGateway", "ApiOnly", "true")));
        fixTab.setSelected(!apiTab.isSelected());
        paper.setSelected("p".equals(ini.get("Logon", "tradingMode", "l")));
        live.setSelected(!paper.isSelected());
        region.setSelectedItem(regionOf(ini.get("Communication", "Region", "us")));
        timeZone.setSelectedItem(ini.get("Logon", "TimeZone", "America/New_York").replace('_', ' '));
        boolean modes = !ini.get("IBGateway", "ApiOnly", "").isEmpty();
        frame.setContentPane(content(modes));
        frame.addWindowListener(new WindowAdapter() {
            @Override
            public void windowClosing(WindowEvent event) {
                close.run();
            }
        });
        Ui.place(frame, 790, 610);
        selectTab();
    }

    private static void group(JToggleButton... members) {
        ButtonGroup group = new ButtonGroup();
        for (JToggleButton member : members) {
            group.add(member);
        }
    }

    private static String[] zones() {
        TreeSet<String> names = new TreeSet<>();
        for (String id : java.time.ZoneId.getAvailableZoneIds()) {
            if (id.contains("/") && !id.startsWith("System")) {
                names.add(id.replace('_', ' '));
            }
        }
        return names.toArray(new String[0]);
    }

    private static String regionOf(String code) {
        return code.startsWith("eu") ? "Europe" : code.startsWith("as") ? "Asia" : code.startsWith("cn") ? "China" : "America";
    }

    private JPanel content(boolean modes) {
        JPanel form = new JPanel();
        form.setLayout(new BoxLayout(form, BoxLayout.Y_AXIS));
        form.add(row(text("LOGIN")));
        form.add(row(fixTab, apiTab));
        if (modes) {
            // Without ApiOnly in jts.ini these are missing (guide 1.10).
            modeRow = row(text("Trading Mode"), live, paper);
            form.add(modeRow);
        }
        cards.add(apiForm(apiFields), "api");
        cards.add(fixForm(), "fix");
        if (scenario.flag("login.twin", true)) {
            // Some builds carry a second, never shown set of the same fields (guide 3.2).
            cards.add(apiForm(new ArrayList<>()), "twin");
        }
        form.add(cards);
        form.add(row(connecting));
        form.add(row(ui.button("More Options", event -> toggleMore())));
        more.setLayout(new BoxLayout(more, BoxLayout.Y_AXIS));
        more.add(Box.createVerticalStrut(scenario.number("login.moreGap", 330)));
        more.add(row(text("Region"), region));
        more.add(row(text("Time Zone"), timeZone));
        more.setVisible(false);
        form.add(more);
        JScrollPane scroll = new JScrollPane(form);
        scroll.getVerticalScrollBar().setUnitIncrement(20);
        JPanel content = new JPanel(new BorderLayout());
        content.add(scroll);
        return content;
    }

    /** A label, as HTML in the variant of that name. */
    private JLabel text(String text) {
        return ui.label(scenario.flag("html.labels", false) ? "<html><b>" + text + "</b></html>" : text);
    }

    private static JPanel row(Component... components) {
        JPanel row = new JPanel(new FlowLayout(FlowLayout.CENTER));
        for (Component component : components) {
            row.add(component);
        }
        row.setMaximumSize(new Dimension(Integer.MAX_VALUE, row.getPreferredSize().height));
        return row;
    }

    private JPanel apiForm(List<JTextField> fields) {
        JPanel panel = new JPanel();
        panel.setLayout(new BoxLayout(panel, BoxLayout.Y_AXIS));
        panel.add(row(text("Username"), field(fields, new JTextField(24), "Username")));
        panel.add(row(text("Password"), field(fields, new JPasswordField(24), "Password")));
        panel.add(row(submitButton()));
        return panel;
    }

    private JPanel fixForm() {
        JPanel panel = new JPanel();
        panel.setLayout(new BoxLayout(panel, BoxLayout.Y_AXIS));
        panel.add(row(text("FIX Username"), field(fixFields, new JTextField(24), "Username")));
        panel.add(row(text("FIX Password"), field(fixFields, new JPasswordField(24), "Password")));
        panel.add(row(text("Market data (optional)")));
        panel.add(row(text("Username"), field(fixFields, new JTextField(24), "Username")));
        panel.add(row(text("Password"), field(fixFields, new JPasswordField(24), "Password")));
        panel.add(row(submitButton()));
        return panel;
    }

    private JTextField field(List<JTextField> fields, JTextField field, String name) {
        field.getAccessibleContext().setAccessibleName(name);
        field.getDocument().addDocumentListener(new DocumentListener() {
            @Override
            public void insertUpdate(DocumentEvent event) {
                enableButtons();
            }

            @Override
            public void removeUpdate(DocumentEvent event) {
                enableButtons();
            }

            @Override
            public void changedUpdate(DocumentEvent event) {
            }
        });
        field.addActionListener(event -> submit());
        fields.add(field);
        return field;
    }

    private JButton submitButton() {
        JButton button = ui.button("Log In", event -> submit());
        buttons.add(button);
        return button;
    }

    private boolean paperChosen() {
        return paper.isSelected() && !(fixTab.isSelected() && modesHidden());
    }

    /** The modes belong to the API tab (guide 3.2). */
    private boolean modesHidden() {
        return modeRow != null && !scenario.flag("fix.modes", false);
    }

    private void selectTab() {
        ((CardLayout) cards.getLayout()).show(cards, apiTab.isSelected() ? "api" : "fix");
        if (modesHidden()) {
            modeRow.setVisible(apiTab.isSelected());
            frame.validate();
        }
        nameButtons();
    }

    private void nameButtons() {
        for (JButton button : buttons) {
            button.setText(paperChosen() ? "Paper Log In" : "Log In");
        }
        enableButtons();
    }

    private void modeChanged() {
        if (scenario.flag("login.modeResets", true)) {
            clear();
        }
        nameButtons();
    }

    private void toggleMore() {
        more.setVisible(!more.isVisible());
        frame.validate();
    }

    void clear() {
        for (JTextComponent field : apiFields) {
            field.setText("");
        }
        for (JTextComponent field : fixFields) {
            field.setText("");
        }
    }

    private List<JTextField> fields() {
        return apiTab.isSelected() ? apiFields : fixFields;
    }

    private boolean acceptable() {
        String user = fields().get(0).getText();
        return !user.isEmpty() && user.equals(user.replaceAll(INVALID, "")) && fields().get(1).getDocument().getLength() > 0;
    }

    private void enableButtons() {
        boolean acceptable = acceptable();
        for (JButton button : buttons) {
            button.setEnabled(acceptable);
        }
    }

    private void submit() {
        if (!acceptable()) {
            return;
        }
        Login login = new Login();
        login.user = fields().get(0).getText();
        login.password = ((JPasswordField) fields().get(1)).getPassword();
        login.mode = paperChosen() ? "paper" : "live";
        login.tab = apiTab.isSelected() ? "IB API" : FIX;
        if (login.fix()) {
            login.dataUser = fixFields.get(2).getText();
            login.dataPassword = ((JPasswordField) fixFields.get(3)).getPassword();
        }
        login.region = (String) region.getSelectedItem();
        login.timeZone = (String) timeZone.getSelectedItem();
        submit.accept(login);
    }

    /** While a login is under way nothing of the form can be used. */
    void setBusy(boolean busy, String note) {
        connecting.setText(note.isEmpty() ? " " : note);
        Ui.enableTree(frame.getContentPane(), !busy);
        if (!busy) {
            enableButtons();
        }
    }

    /** Fills and submits the form as a person would, the present tab's or, for mode `fix`, the FIX tab's. */
    void autopilot(String user, String password, String mode) {
        if ("fix".equals(mode)) {
            fixTab.doClick(0);
        } else {
            (("paper".equals(mode)) ? paper : live).doClick(0);
        }
        fields().get(0).setText(user);
        fields().get(1).setText(password);
        for (JButton button : buttons) {
            if (button.isShowing()) {
                button.doClick(0);
            }
        }
    }

    /** Other frames of the same package: of size 0, and off the screen (guide 3.1). */
    static List<Window> decoys(Ui ui, String title) {
        JFrame empty = ui.frame("decoy", title, "decoy");
        empty.setBounds(0, 0, 0, 0);
        empty.setVisible(true);
        JFrame outside = ui.frame("decoy", title, "decoy");
        Container content = outside.getContentPane();
        content.setLayout(new FlowLayout());
        content.add(ui.toggle("IB API", null));
        content.add(ui.button("Log In", null));
        outside.setBounds(-900, 0, 400, 300);
        outside.setVisible(true);
        return Collections.unmodifiableList(Arrays.asList(empty, outside));
    }
}
