package ibga.agent;

import java.awt.AWTEvent;
import java.awt.Toolkit;
import java.awt.event.AWTEventListener;
import java.awt.event.FocusEvent;
import java.awt.event.MouseEvent;
import java.awt.event.WindowEvent;

/** Turns AWT events into requests for a walk. */
final class Events implements AWTEventListener {
    /** A component tree is incomplete while a window opens (guide 11.1), so it is looked at once more. */
    private static final int AGAIN_MILLIS = 40;
    private static final int SOON_MILLIS = 20;

    private final Walks walks;

    private Events(Walks walks) {
        this.walks = walks;
    }

    static void listen(Walks walks) {
        Toolkit.getDefaultToolkit().addAWTEventListener(new Events(walks),
                AWTEvent.WINDOW_EVENT_MASK | AWTEvent.WINDOW_FOCUS_EVENT_MASK | AWTEvent.WINDOW_STATE_EVENT_MASK
                | AWTEvent.FOCUS_EVENT_MASK | AWTEvent.COMPONENT_EVENT_MASK | AWTEvent.CONTAINER_EVENT_MASK
                | AWTEvent.HIERARCHY_EVENT_MASK | AWTEvent.KEY_EVENT_MASK | AWTEvent.MOUSE_EVENT_MASK
                | AWTEvent.ACTION_EVENT_MASK | AWTEvent.ITEM_EVENT_MASK | AWTEvent.ADJUSTMENT_EVENT_MASK
                | AWTEvent.TEXT_EVENT_MASK | AWTEvent.MOUSE_WHEEL_EVENT_MASK);
    }

    @Override
    public void eventDispatched(AWTEvent event) {
        try {
            int id = event.getID();
            if (id == MouseEvent.MOUSE_ENTERED || id == MouseEvent.MOUSE_EXITED) {
                return;
            }
            if (event instanceof WindowEvent) {
                walks.request(0);
                walks.request(AGAIN_MILLIS);
            } else if (event instanceof FocusEvent || event instanceof java.awt.event.InputEvent) {
                walks.request(0);
            } else if (event.getSource() instanceof java.awt.Window) {
                walks.request(0);
            } else {
                walks.request(SOON_MILLIS);
            }
        } catch (Throwable nothing) {
            // We are called from the application's dispatching.
        }
    }
}
