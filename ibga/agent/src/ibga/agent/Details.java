package ibga.agent;

import java.awt.Button;
import java.awt.Checkbox;
import java.awt.Component;
import java.awt.Label;
import java.awt.TextComponent;
import java.util.Map;
import java.util.WeakHashMap;
import javax.swing.AbstractButton;
import javax.swing.JCheckBoxMenuItem;
import javax.swing.JComboBox;
import javax.swing.JComponent;
import javax.swing.JEditorPane;
import javax.swing.JInternalFrame;
import javax.swing.JLabel;
import javax.swing.JMenu;
import javax.swing.JOptionPane;
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

    void write(Sink out, Component component, Area area, boolean secondFactor) {
        if (component instanceof JLabel) {
            out.markup(((JLabel) component).getText());
        } else if (component instanceof AbstractButton) {
            button(out, (AbstractButton) component);
        } else if (component instanceof JTextComponent) {
            field(out, (JTextComponent) component, secondFactor);
        } else if (component instanceof JComboBox) {
            rows.combo(out, (JComboBox<?>) component, secondFactor);
        } else if (component instanceof JProgressBar) {
            progress(out, (JProgressBar) component);
        } else if (component instanceof JSpinner) {
            if (!secondFactor) {
                out.markup(String.valueOf(((JSpinner) component).getValue()));
            }
        } else if (component instanceof JSlider) {
            JSlider slider = (JSlider) component;
            range(out, slider.getValue(), slider.getMinimum(), slider.getMaximum());
        } else if (component instanceof JScrollBar) {
            JScrollBar bar = (JScrollBar) component;
            range(out, bar.getValue(), bar.getMinimum(), bar.getMaximum() - bar.getVisibleAmount());
        } else if (component instanceof JOptionPane) {
            Object message = ((JOptionPane) component).getMessage();
            out.markup(message instanceof String ? (String) message : null);
        } else if (component instanceof JToolTip) {
            out.markup(((JToolTip) component).getTipText());
        } else if (component instanceof JInternalFrame) {
            out.markup(((JInternalFrame) component).getTitle());
        } else if (component instanceof JComponent) {
            rows.write(out, (JComponent) component, area);
        } else {
            heavy(out, component, secondFactor);
        }
    }

    private static void button(Sink out, AbstractButton button) {
        out.markup(button.getText());
        if (button instanceof JToggleButton || button instanceof JCheckBoxMenuItem
                || button instanceof JRadioButtonMenuItem) {
            out.key("selected").bool(button.isSelected());
        } else if (button instanceof JMenu) {
            out.key("open").bool(((JMenu) button).isPopupMenuVisible());
        }
    }

    private void field(Sink out, JTextComponent field, boolean secondFactor) {
        boolean editable = field.isEditable();
        int length = field.getDocument().getLength();
        out.key("editable").bool(editable).key("length").number(length);
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
            out.key("text").text(Text.collapse(text));
            out.key("html").text(Text.cap(page((JEditorPane) field, text)));
        } else {
            out.key("text").text(text);
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

    private static void progress(Sink out, JProgressBar bar) {
        range(out, bar.getValue(), bar.getMinimum(), bar.getMaximum());
        out.key("indeterminate").bool(bar.isIndeterminate());
        out.markup(bar.isStringPainted() ? bar.getString() : null);
    }

    private static void range(Sink out, int value, int minimum, int maximum) {
        out.key("value").number(value).key("minimum").number(minimum).key("maximum").number(maximum);
    }

    private static void heavy(Sink out, Component component, boolean secondFactor) {
        if (component instanceof Button) {
            out.markup(((Button) component).getLabel());
        } else if (component instanceof Label) {
            out.markup(((Label) component).getText());
        } else if (component instanceof Checkbox) {
            out.markup(((Checkbox) component).getLabel());
            out.key("selected").bool(((Checkbox) component).getState());
        } else if (component instanceof TextComponent) {
            TextComponent field = (TextComponent) component;
            String text = field.getText();
            out.key("editable").bool(field.isEditable()).key("length").number(text.length());
            if (!Secrets.hides(field) && !(secondFactor && field.isEditable())) {
                out.key("text").text(Text.cap(text));
            }
        }
    }
}
