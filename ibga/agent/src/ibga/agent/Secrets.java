package ibga.agent;

import java.awt.Dialog;
import java.awt.Frame;
import java.awt.TextField;
import java.awt.Window;
import java.util.Locale;
import javax.swing.JPasswordField;

/** Knows which fields must never be reported with their text. */
final class Secrets {
    /** Titles of IBG's second factor windows (guide 4.4). */
    private static final String[] TITLES = {
        "second factor", "security code", "two-factor", "two factor", "challenge code"};

    private Secrets() {}

    static boolean isSecondFactor(Window window) {
        for (Class<?> c = window.getClass(); c != null; c = c.getSuperclass()) {
            if (c.getName().contains("jauthentication")) {
                return true;
            }
        }
        String title = title(window).toLowerCase(Locale.ROOT);
        for (String part : TITLES) {
            if (title.contains(part)) {
                return true;
            }
        }
        return false;
    }

    /** Whether a text field hides what is typed, whatever its window. */
    static boolean hides(Object field) {
        return field instanceof JPasswordField || field instanceof TextField && ((TextField) field).echoCharIsSet();
    }

    static String title(Window window) {
        String title = window instanceof Frame ? ((Frame) window).getTitle()
                : window instanceof Dialog ? ((Dialog) window).getTitle() : "";
        return title == null ? "" : title;
    }
}
