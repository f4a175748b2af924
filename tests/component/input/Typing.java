import java.awt.Component;
import java.awt.FlowLayout;
import java.awt.KeyboardFocusManager;
import java.awt.Point;
import java.awt.Window;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import javax.swing.JButton;
import javax.swing.JDialog;
import javax.swing.JFrame;
import javax.swing.JPasswordField;
import javax.swing.JTextField;
import javax.swing.RootPaneContainer;
import javax.swing.SwingUtilities;
import javax.swing.text.JTextComponent;

/**
 * Windows with a text field, a password field and a button, driven by lines on standard input.
 *
 * frame NAME X Y | dialog NAME X Y OWNER|- modal|modeless | close NAME | clear | busy MILLISECONDS | state
 *
 * Each line is answered by one line. The answer to "state" has one word for each fact: NAME.field.x=, NAME.field.y=,
 * NAME.field.text= (code points in hexadecimal, joined by commas), NAME.bounds=, focus=, active=, clicks=, wheel=.
 */
public final class Typing {
    private static final Map<String, Window> windows = new LinkedHashMap<>();
    private static int clicks;
    private static int wheel;

    public static void main(String[] arguments) throws Exception {
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            String[] words = line.split(" ");
            String[] answer = {"ok"};
            if (words[0].equals("dialog") || words[0].equals("busy")) {
                SwingUtilities.invokeLater(() -> obey(words)); // a modal dialog returns when it is closed
            } else {
                SwingUtilities.invokeAndWait(() -> answer[0] = obey(words));
            }
            System.out.println(answer[0]);
        }
        System.exit(0);
    }

    private static String obey(String[] words) {
        switch (words[0]) {
            case "frame":
                show(new JFrame(words[1]), words);
                return "ok";
            case "dialog":
                Window owner = windows.get(words[4]);
                show(new JDialog(owner, words[1], words[5].equals("modal")
                        ? java.awt.Dialog.ModalityType.APPLICATION_MODAL
                        : java.awt.Dialog.ModalityType.MODELESS), words);
                return "ok";
            case "close":
                windows.remove(words[1]).dispose();
                return "ok";
            case "clear":
                windows.forEach((name, window) -> {
                    for (Component part : content(window)) {
                        if (part instanceof JTextComponent) {
                            ((JTextComponent) part).setText("");
                        }
                    }
                });
                return "ok";
            case "busy":
                try {
                    Thread.sleep(Long.parseLong(words[1]));
                } catch (InterruptedException interrupted) {
                    Thread.currentThread().interrupt();
                }
                return "ok";
            default:
                return state();
        }
    }

    private static void show(Window window, String[] words) {
        java.awt.Container content = ((RootPaneContainer) window).getContentPane();
        content.setLayout(new FlowLayout());
        JTextField text = new JTextField(20);
        text.setName("text");
        JPasswordField password = new JPasswordField(20);
        password.setName("password");
        JButton button = new JButton("Press");
        button.setName("button");
        button.addActionListener(event -> clicks++);
        content.add(text);
        content.add(password);
        content.add(button);
        window.setBounds(Integer.parseInt(words[2]), Integer.parseInt(words[3]), 300, 150);
        button.addMouseWheelListener(event -> wheel += event.getWheelRotation());
        windows.put(words[1], window);
        window.setVisible(true);
    }

    private static Component[] content(Window window) {
        return ((RootPaneContainer) window).getContentPane().getComponents();
    }

    private static String state() {
        StringBuilder facts = new StringBuilder();
        windows.forEach((name, window) -> {
            facts.append(name).append(".bounds=").append(window.getX()).append(',').append(window.getY())
                    .append(',').append(window.getWidth()).append(',').append(window.getHeight()).append(' ');
            for (Component part : content(window)) {
                if (!part.isShowing()) {
                    continue;
                }
                Point corner = part.getLocationOnScreen();
                String key = name + "." + part.getName();
                facts.append(key).append(".x=").append(corner.x + part.getWidth() / 2).append(' ');
                facts.append(key).append(".y=").append(corner.y + part.getHeight() / 2).append(' ');
                if (part instanceof JTextComponent) {
                    facts.append(key).append(".text=").append(codePoints((JTextComponent) part)).append(' ');
                }
            }
        });
        KeyboardFocusManager manager = KeyboardFocusManager.getCurrentKeyboardFocusManager();
        Component focus = manager.getFocusOwner();
        Window active = manager.getActiveWindow();
        facts.append("focus=").append(focus == null ? "" : nameOf(focus)).append(' ');
        facts.append("active=").append(active == null ? "" : nameOf(active)).append(' ');
        return facts.append("clicks=").append(clicks).append(" wheel=").append(wheel).toString();
    }

    private static String nameOf(Component part) {
        Window window = part instanceof Window ? (Window) part : SwingUtilities.getWindowAncestor(part);
        for (Map.Entry<String, Window> each : windows.entrySet()) {
            if (each.getValue() == window) {
                return part == window ? each.getKey() : each.getKey() + "." + part.getName();
            }
        }
        return "?";
    }

    private static String codePoints(JTextComponent field) {
        String text = field instanceof JPasswordField
                ? new String(((JPasswordField) field).getPassword()) : field.getText();
        return text.codePoints().mapToObj(Integer::toHexString).collect(Collectors.joining(","));
    }
}
