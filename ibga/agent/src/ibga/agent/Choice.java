package ibga.agent;

import java.awt.Component;
import java.awt.Rectangle;
import java.util.ArrayList;
import java.util.List;
import javax.swing.JComboBox;
import javax.swing.JList;
import javax.swing.JTabbedPane;
import javax.swing.JTable;
import javax.swing.JTree;
import javax.swing.tree.TreePath;

/** Selects a row of a list, combo box, table, tree or set of tabs: by index, by text, or by path. */
final class Choice {
    private Choice() {}

    static void make(Component component, Command command) {
        if (!component.isEnabled()) {
            throw new IllegalArgumentException("disabled");
        }
        if (component instanceof JTree) {
            tree((JTree) component, command);
            return;
        }
        int row = row(component, command);
        if (component instanceof JComboBox) {
            ((JComboBox<?>) component).setSelectedIndex(row);
        } else if (component instanceof JList) {
            ((JList<?>) component).setSelectedIndex(row);
            ((JList<?>) component).ensureIndexIsVisible(row);
        } else if (component instanceof JTable) {
            ((JTable) component).setRowSelectionInterval(row, row);
            ((JTable) component).scrollRectToVisible(bounds(component, row));
        } else {
            ((JTabbedPane) component).setSelectedIndex(row);
        }
    }

    private static int row(Component component, Command command) {
        List<String> texts = texts(component);
        if (command.row != null) {
            if (command.row >= texts.size()) {
                throw new IllegalArgumentException("it has " + texts.size() + " rows");
            }
            return command.row;
        }
        if (command.text == null) {
            throw new IllegalArgumentException("neither row nor text");
        }
        for (int i = 0; i < texts.size(); i++) {
            if (same(texts.get(i), command.text)) {
                return i;
            }
        }
        throw new IllegalArgumentException("no such row");
    }

    private static boolean same(String shown, String wanted) {
        return Text.plain(shown).trim().equalsIgnoreCase(wanted.trim());
    }

    private static List<String> texts(Component component) {
        List<String> texts = new ArrayList<String>();
        if (component instanceof JComboBox) {
            JComboBox<?> combo = (JComboBox<?>) component;
            JList<?> list = Rows.popupList(combo);
            for (int i = 0; i < combo.getItemCount(); i++) {
                texts.add(Rows.element(list, combo.getItemAt(i), i, true));
            }
        } else if (component instanceof JList) {
            JList<?> list = (JList<?>) component;
            for (int i = 0; i < list.getModel().getSize(); i++) {
                texts.add(Rows.element(list, list.getModel().getElementAt(i), i, true));
            }
        } else if (component instanceof JTable) {
            JTable table = (JTable) component;
            for (int i = 0; i < table.getRowCount(); i++) {
                texts.add(table.getColumnCount() == 0 ? "" : String.valueOf(table.getValueAt(i, 0)));
            }
        } else if (component instanceof JTabbedPane) {
            JTabbedPane tabs = (JTabbedPane) component;
            for (int i = 0; i < tabs.getTabCount(); i++) {
                texts.add(String.valueOf(tabs.getTitleAt(i)));
            }
        } else {
            throw new IllegalArgumentException("it has no rows");
        }
        return texts;
    }

    private static void tree(JTree tree, Command command) {
        TreePath path;
        if (command.path != null) {
            path = path(tree, command.path);
        } else if (command.row != null) {
            path = tree.getPathForRow(command.row);
        } else {
            throw new IllegalArgumentException("neither row nor path");
        }
        if (path == null) {
            throw new IllegalArgumentException("no such row");
        }
        tree.expandPath(path.getParentPath() == null ? path : path.getParentPath());
        tree.setSelectionPath(path);
        tree.scrollPathToVisible(path);
    }

    /** With or without the root, whose row may be hidden. */
    private static TreePath path(JTree tree, List<String> names) {
        Object root = tree.getModel().getRoot();
        if (root == null || names.isEmpty()) {
            return null;
        }
        TreePath path = new TreePath(root);
        boolean withRoot = same(Rows.node(tree, root, true, false, 0), names.get(0));
        TreePath found = withRoot ? below(tree, path, names.subList(1, names.size())) : null;
        return found != null ? found : below(tree, path, names);
    }

    private static TreePath below(JTree tree, TreePath from, List<String> names) {
        TreePath path = from;
        for (String name : names) {
            TreePath next = null;
            Object node = path.getLastPathComponent();
            for (int i = 0; i < tree.getModel().getChildCount(node) && next == null; i++) {
                Object child = tree.getModel().getChild(node, i);
                if (same(Rows.node(tree, child, false, tree.getModel().isLeaf(child), 0), name)) {
                    next = path.pathByAddingChild(child);
                }
            }
            if (next == null) {
                return null;
            }
            path = next;
        }
        return path;
    }

    /** Where a row lies inside its component. */
    static Rectangle bounds(Component component, int row) {
        Rectangle bounds = null;
        if (component instanceof JList && row < ((JList<?>) component).getModel().getSize()) {
            bounds = ((JList<?>) component).getCellBounds(row, row);
        } else if (component instanceof JTree) {
            bounds = ((JTree) component).getRowBounds(row);
        } else if (component instanceof JTable && row < ((JTable) component).getRowCount()) {
            bounds = ((JTable) component).getCellRect(row, 0, true);
        } else if (component instanceof JTabbedPane && row < ((JTabbedPane) component).getTabCount()) {
            bounds = ((JTabbedPane) component).getBoundsAt(row);
        }
        if (bounds == null) {
            throw new IllegalArgumentException("no such row");
        }
        return bounds;
    }
}
