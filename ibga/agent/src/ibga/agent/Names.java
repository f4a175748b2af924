package ibga.agent;

import java.awt.Component;
import javax.accessibility.AccessibleContext;
import javax.swing.JComponent;
import javax.swing.JLabel;
import javax.swing.JPanel;
import javax.swing.text.JTextComponent;

/** What a component is called, beside its text: IBG's fields are "Username", "Socket port" (guide 3.2, 6.3). */
final class Names {
    private Names() {}

    /**
     * The component's name, else the accessible name where asking is harmless: of tables, trees and
     * lists it would install listeners. May be null.
     */
    static String of(Component component) {
        String name = component.getName();
        if (name != null && !name.isEmpty()) {
            return name;
        }
        if (component instanceof JTextComponent || component instanceof JPanel) {
            AccessibleContext context = component.getAccessibleContext();
            return context == null ? null : context.getAccessibleName();
        }
        Object label = component instanceof JComponent
                ? ((JComponent) component).getClientProperty("labeledBy") : null;
        return label instanceof JLabel ? Text.plain(((JLabel) label).getText()) : null;
    }
}
