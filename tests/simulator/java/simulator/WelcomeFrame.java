package simulator;

import javax.swing.BorderFactory;
import javax.swing.BoxLayout;
import javax.swing.JFrame;
import javax.swing.JLabel;
import javax.swing.JPanel;
import javax.swing.JProgressBar;

/** The progress window (guide 2.2). One object for the life of the process: it comes back on reconnecting. */
final class WelcomeFrame {
    private final JFrame frame;
    private final JLabel message = new JLabel(" ");
    private final JLabel user = new JLabel(" ");
    private final JProgressBar progress = new JProgressBar(0, 100);

    WelcomeFrame(Ui ui, String version) {
        frame = ui.frame("welcome", "Loading...", "welcome");
        JPanel content = new JPanel();
        content.setLayout(new BoxLayout(content, BoxLayout.Y_AXIS));
        content.setBorder(BorderFactory.createEmptyBorder(30, 40, 30, 40));
        content.add(new JLabel("Build " + version));
        content.add(user);
        content.add(message);
        progress.setStringPainted(true);
        content.add(progress);
        frame.setContentPane(content);
        Ui.place(frame, 420, 220);
    }

    void show(String title, String text, String userText, int percent) {
        frame.setTitle(title);
        message.setText(text);
        user.setText(userText);
        progress.setValue(percent);
        if (!frame.isVisible()) {
            frame.setVisible(true);
        }
        frame.toFront();
    }

    boolean isVisible() {
        return frame.isVisible();
    }

    /** Closes with a WINDOW_CLOSED event; a disposed frame can be shown again. */
    void close() {
        frame.dispose();
    }
}
