package ibga.agent;

import java.awt.Button;
import java.awt.Checkbox;
import java.awt.Component;
import java.awt.Label;
import java.awt.TextComponent;
import java.util.Map;
import java.util.WeakHashMap;
import javax.accessibility.AccessibleContext;
import javax.swing.AbstractButton;
import javax.swing.JCheckBoxMenuItem;
import javax.swing.JComboBox;
import javax.swing.JComponent;
import javax.swing.JEditorPane;
import javax.swing.JInternalFrame;
import javax.swing.JLabel;
import javax.swing.JMenu;
import javax.swing.JOptionPane;
import javax.swing.JPanel;
import javax.swing.JProgressBar;
import javax.swing.JRadioButtonMenuItem;
import javax.swing.JScrollBar;
import javax.swing.JSlider;
import javax.swing.JSpinner;
import javax.swing.JToggleButton;
import javax.swing.JToolTip;
import javax.swing.text.BadLocationException;
import javax.swing.text.JTextComponent;

/** Writes what is particular to each kind of component: text, selection, value, rows. */
final class Details {
    private static final int MAX_PAGES = 50;

    private final Rows rows = new Rows();
    /** The markup of HTML panes, beside the plain text it was made from: writing it out again is slow. */
    private final Map<JEditorPane, String[]> pages = new WeakHashMap<JEditorPane, String[]>();

    /**
     * The component's name, else the accessible name where asking is harmless: of tables, trees and
     * lists it would install listeners (IBG's fields are called "Username", "Socket port"; guide 3.2, 6.3).
     */
    String name(Component component) {
        String name = component.getName();
        if (name != null && !name.isEmpty()) {
            return name;
        }
        if (component instanceof JTextComponent || component.getClass() == JPanel.class
                || component instanceof JPanel) {
            AccessibleContext context = component.getAccessibleContext();
            return context == null ? null : context.getAccessibleName();
        }
        Object label = component instanceof JComponent
                ? ((JComponent) component).getClientProperty("labeledBy") : null;
        return label instanceof JLabel ? Text.plain(((JLabel) label).getText()) : null;
    }

    void write(Json json, Component component, Area area, boolean secondFactor) {
        if (component instanceof JLabel) {
            text(json, ((JLabel) component).getText());
        } else if (component instanceof AbstractButton) {
            button(json, (AbstractButton) component);
        } else if (component instanceof JTextComponent) {
            field(json, (JTextComponent) component, secondFactor);
        } else if (component instanceof JComboBox) {
            rows.combo(json, (JComboBox<?>) component, secondFactor);
        } else if (component instanceof JProgressBar) {
            progress(json, (JProgressBar) component);
        } else if (component instanceof JSpinner) {
            if (!secondFactor) {
                text(json, String.valueOf(((JSpinner) component).getValue()));
            }
        } else if (component instanceof JSlider) {
            JSlider slider = (JSlider) component;
            range(json, slider.getValue(), slider.getMinimum(), slider.getMaximum());
        } else if (component instanceof JScrollBar) {
            JScrollBar bar = (JScrollBar) component;
            range(json, bar.getValue(), bar.getMinimum(), bar.getMaximum() - bar.getVisibleAmount());
        } else if (component instanceof JOptionPane) {
            Object message = ((JOptionPane) component).getMessage();
            text(json, message instanceof String ? (String) message : null);
        } else if (component instanceof JToolTip) {
            text(json, ((JToolTip) component).getTipText());
        } else if (component instanceof JInternalFrame) {
            text(json, ((JInternalFrame) component).getTitle());
        } else if (component instanceof JComponent) {
            rows.write(json, (JComponent) component, area);
        } else {
            heavy(json, component, secondFactor);
        }
    }

    private static void text(Json json, String text) {
        if (text == null || text.isEmpty()) {
            return;
        }
        json.key("text").text(Text.cap(Text.plain(text)));
        if (Text.isHtml(text)) {
            json.key("html").text(Text.cap(text));
        }
    }

    private static void button(Json json, AbstractButton button) {
        text(json, button.getText());
        if (button instanceof JToggleButton || button instanceof JCheckBoxMenuItem
                || button instanceof JRadioButtonMenuItem) {
            json.key("selected").bool(button.isSelected());
        } else if (button instanceof JMenu) {
            json.key("open").bool(((JMenu) button).isPopupMenuVisible());
        }
    }

    private void field(Json json, JTextComponent field, boolean secondFactor) {
        boolean editable = field.isEditable();
        int length = field.getDocument().getLength();
        json.key("editable").bool(editable).key("length").number(length);
        if (Secrets.hides(field) || secondFactor && editable) {
            return;
        }
        String text;
        try {
            text = field.getDocument().getText(0, Math.min(length, Text.MAX));
        } catch (BadLocationException shrunk) {
            text = "";
        }
        if (field instanceof JEditorPane && ((JEditorPane) field).getContentType().contains("html")) {
            // A document of HTML begins with a line end that nobody sees.
            json.key("text").text(Text.strip(text.replace("&", "&amp;").replace("<", "&lt;")));
            json.key("html").text(Text.cap(page((JEditorPane) field, text)));
        } else {
            text(json, text);
            if (text.isEmpty()) {
                json.key("text").text("");
            }
        }
    }

    private String page(JEditorPane pane, String plain) {
        String[] known = pages.get(pane);
        if (known == null || !known[0].equals(plain)) {
            if (pages.size() > MAX_PAGES) {
                pages.clear();
            }
            known = new String[] {plain, pane.getText()};
            pages.put(pane, known);
        }
        return known[1];
    }

    private static void progress(Json json, JProgressBar bar) {
        range(json, bar.getValue(), bar.getMinimum(), bar.getMaximum());
        json.key("indeterminate").bool(bar.isIndeterminate());
        text(json, bar.isStringPainted() ? bar.getString() : null);
    }

    private static void range(Json json, int value, int minimum, int maximum) {
        json.key("value").number(value).key("minimum").number(minimum).key("maximum").number(maximum);
    }

    private static void heavy(Json json, Component component, boolean secondFactor) {
        if (component instanceof Button) {
            text(json, ((Button) component).getLabel());
        } else if (component instanceof Label) {
            text(json, ((Label) component).getText());
        } else if (component instanceof Checkbox) {
            text(json, ((Checkbox) component).getLabel());
            json.key("selected").bool(((Checkbox) component).getState());
        } else if (component instanceof TextComponent) {
            TextComponent field = (TextComponent) component;
            String text = field.getText();
            json.key("editable").bool(field.isEditable()).key("length").number(text.length());
            if (!Secrets.hides(field) && !(secondFactor && field.isEditable())) {
                json.key("text").text(Text.cap(text));
            }
        }
    }
}
