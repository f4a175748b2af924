package ibga.agent;

import java.awt.Component;
import java.awt.Rectangle;
import javax.swing.AbstractButton;
import javax.swing.JComboBox;
import javax.swing.JComponent;
import javax.swing.JLabel;
import javax.swing.JList;
import javax.swing.JTabbedPane;
import javax.swing.JTable;
import javax.swing.JTree;
import javax.swing.ListCellRenderer;
import javax.swing.plaf.basic.ComboPopup;
import javax.swing.table.TableCellRenderer;
import javax.swing.text.JTextComponent;
import javax.swing.tree.TreePath;

/**
 * Writes the rows of lists, trees, tables, tabs and combo boxes.
 *
 * A row's index is its place in the array. Rows in sight have bounds. A value that is not plain text
 * is asked of its renderer, for that is what a person sees; but a renderer is slow, so only in sight.
 */
final class Rows {
    private static final int MAX_ROWS = 1000;
    private static final int MAX_COLUMNS = 50;
    private static final int MAX_TEXT = 500;
    /** Combo boxes keep their rows out of sight until they open, but rows are chosen by text before. */
    private static final int MAX_RENDERED = 200;

    void write(Sink out, JComponent component, Area area) {
        if (component instanceof JList) {
            list(out, (JList<?>) component, area);
        } else if (component instanceof JTree) {
            tree(out, (JTree) component, area);
        } else if (component instanceof JTable) {
            table(out, (JTable) component, area);
        } else if (component instanceof JTabbedPane) {
            tabs(out, (JTabbedPane) component, area);
        }
    }

    /** Opens the array of rows; returns how many may be written. */
    private static int begin(Sink out, int count) {
        out.key("row_count").number(count).key("rows").array();
        return Math.min(count, MAX_ROWS);
    }

    private static void row(Sink out, String text) {
        out.object().key("text").text(cap(Text.plain(text)));
    }

    private static String cap(String text) {
        return text.length() <= MAX_TEXT ? text : text.substring(0, MAX_TEXT);
    }

    private static void end(Sink out, boolean selected, Area area, Rectangle bounds) {
        if (selected) {
            out.key("selected").bool(true);
        }
        if (area != null && area.visible(bounds)) {
            area.write(out, bounds);
        }
        out.endObject();
    }

    private static void list(Sink out, JList<?> list, Area area) {
        int first = list.getFirstVisibleIndex();
        int last = list.getLastVisibleIndex();
        int count = begin(out, list.getModel().getSize());
        for (int i = 0; i < count; i++) {
            boolean inSight = first >= 0 && i >= first && i <= last;
            row(out, element(list, list.getModel().getElementAt(i), i, inSight));
            end(out, list.isSelectedIndex(i), area, inSight ? list.getCellBounds(i, i) : null);
        }
        out.endArray();
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    static String element(JList<?> list, Object value, int index, boolean render) {
        ListCellRenderer renderer = isPlain(value) || !render || list == null ? null : list.getCellRenderer();
        if (renderer == null) {
            return String.valueOf(value);
        }
        return rendered(renderer.getListCellRendererComponent(list, value, index, false, false), value);
    }

    private static boolean isPlain(Object value) {
        return value == null || value instanceof String || value instanceof Number || value instanceof Boolean;
    }

    private static String rendered(Component component, Object value) {
        String text = null;
        if (component instanceof JLabel) {
            text = ((JLabel) component).getText();
        } else if (component instanceof AbstractButton) {
            text = ((AbstractButton) component).getText();
        } else if (component instanceof JTextComponent) {
            text = ((JTextComponent) component).getText();
        }
        return text == null || text.isEmpty() ? String.valueOf(value) : text;
    }

    void combo(Sink out, JComboBox<?> combo, boolean secondFactor) {
        out.key("editable").bool(combo.isEditable()).key("open").bool(combo.isPopupVisible());
        if (combo.isEditable() && secondFactor) {
            return;
        }
        Object chosen = combo.getSelectedItem();
        Object first = combo.getItemCount() == 0 ? null : combo.getItemAt(0);
        // To ask for the popup is slow, and of no use where it is closed and the values are plain.
        JList<?> list = combo.isPopupVisible() || !isPlain(chosen) || !isPlain(first) ? popupList(combo) : null;
        if (chosen != null) {
            out.key("text").text(Text.cap(Text.plain(element(list, chosen, -1, true))));
        }
        boolean open = list != null && combo.isPopupVisible() && list.isShowing();
        Area area = open ? areaOf(list) : null;
        int selected = combo.getSelectedIndex();
        int count = begin(out, combo.getItemCount());
        for (int i = 0; i < count; i++) {
            Object value = combo.getItemAt(i);
            row(out, element(list, value, i, i < MAX_RENDERED));
            Rectangle bounds = open ? list.getCellBounds(i, i) : null;
            end(out, i == selected, area, bounds);
        }
        out.endArray();
    }

    /** The list in the popup of a combo box; null under a look and feel that has none. */
    static JList<?> popupList(JComboBox<?> combo) {
        Object child = combo.getUI() == null || combo.getUI().getAccessibleChildrenCount(combo) == 0
                ? null : combo.getUI().getAccessibleChild(combo, 0);
        return child instanceof ComboPopup ? ((ComboPopup) child).getList() : null;
    }

    /** Where a component lies that is not below the one being walked. */
    private static Area areaOf(JComponent component) {
        java.awt.Point at = component.getLocationOnScreen();
        Rectangle visible = component.getVisibleRect();
        Rectangle whole = new Rectangle(at.x, at.y, component.getWidth(), component.getHeight());
        visible.translate(at.x, at.y);
        return Area.ofWindow(whole, visible);
    }

    private static void tree(Sink out, JTree tree, Area area) {
        int count = begin(out, tree.getRowCount());
        for (int i = 0; i < count; i++) {
            TreePath path = tree.getPathForRow(i);
            Object[] nodes = path == null ? new Object[0] : path.getPath();
            boolean leaf = nodes.length > 0 && tree.getModel().isLeaf(nodes[nodes.length - 1]);
            boolean expanded = tree.isExpanded(path);
            String text = nodes.length == 0 ? "" : node(tree, nodes[nodes.length - 1], expanded, leaf, i);
            row(out, text);
            out.key("path").array();
            for (int n = 0; n < nodes.length - 1; n++) {
                out.text(cap(Text.plain(node(tree, nodes[n], true, false, i))));
            }
            out.text(cap(Text.plain(text))).endArray();
            out.key("expanded").bool(expanded).key("leaf").bool(leaf);
            end(out, tree.isRowSelected(i), area, tree.getRowBounds(i));
        }
        out.endArray();
    }

    static String node(JTree tree, Object node, boolean expanded, boolean leaf, int row) {
        return String.valueOf(tree.convertValueToText(node, false, expanded, leaf, row, false));
    }

    private static void table(Sink out, JTable table, Area area) {
        int columns = Math.min(table.getColumnCount(), MAX_COLUMNS);
        out.key("columns").array();
        for (int c = 0; c < columns; c++) {
            out.text(cap(Text.plain(String.valueOf(table.getColumnName(c)))));
        }
        out.endArray();
        int count = begin(out, table.getRowCount());
        for (int r = 0; r < count; r++) {
            Rectangle bounds = table.getCellRect(r, 0, true);
            bounds.x = 0;
            bounds.width = table.getWidth();
            boolean inSight = area != null && area.visible(bounds);
            out.object().key("cells").array();
            for (int c = 0; c < columns; c++) {
                out.text(cap(Text.plain(cell(table, r, c, inSight))));
            }
            out.endArray();
            end(out, table.isRowSelected(r), area, bounds);
        }
        out.endArray();
    }

    private static String cell(JTable table, int row, int column, boolean inSight) {
        Object value = table.getValueAt(row, column);
        if (value == null) {
            return "";
        }
        TableCellRenderer renderer = isPlain(value) || !inSight ? null : table.getCellRenderer(row, column);
        if (renderer == null) {
            return value.toString();
        }
        return rendered(renderer.getTableCellRendererComponent(table, value, false, false, row, column), value);
    }

    private static void tabs(Sink out, JTabbedPane tabs, Area area) {
        int count = begin(out, tabs.getTabCount());
        for (int i = 0; i < count; i++) {
            String title = tabs.getTitleAt(i);
            row(out, title == null ? "" : title);
            out.key("enabled").bool(tabs.isEnabledAt(i));
            end(out, i == tabs.getSelectedIndex(), area, tabs.getBoundsAt(i));
        }
        out.endArray();
    }
}
