package twslaunch.jauthentication;

import java.awt.Frame;
import javax.swing.JDialog;

/** Named as IBG names its second factor dialogs (guide 4.4). */
public final class bh extends JDialog {
    private static final long serialVersionUID = 1L;

    public bh() {
        super((Frame) null, "", true);
    }
}
