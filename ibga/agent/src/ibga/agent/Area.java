package ibga.agent;

import java.awt.Component;
import java.awt.Rectangle;

/** Where a component lies on the screen, and which part of it no ancestor hides. In pixels. */
final class Area {
    private final int x;
    private final int y;
    private final int left;
    private final int top;
    private final int right;
    private final int bottom;

    private Area(int x, int y, int left, int top, int right, int bottom) {
        this.x = x;
        this.y = y;
        this.left = left;
        this.top = top;
        this.right = right;
        this.bottom = bottom;
    }

    static Area ofWindow(Rectangle window, Rectangle screen) {
        return new Area(window.x, window.y, Math.max(window.x, screen.x), Math.max(window.y, screen.y),
                Math.min(window.x + window.width, screen.x + screen.width),
                Math.min(window.y + window.height, screen.y + screen.height));
    }

    Area child(Component child) {
        int cx = x + child.getX();
        int cy = y + child.getY();
        return new Area(cx, cy, Math.max(left, cx), Math.max(top, cy), Math.min(right, cx + child.getWidth()),
                Math.min(bottom, cy + child.getHeight()));
    }

    boolean visible() {
        return right > left && bottom > top;
    }

    boolean visible(Rectangle part) {
        return visible() && part != null && x + part.x < right && x + part.x + part.width > left
                && y + part.y < bottom && y + part.y + part.height > top;
    }

    void write(Sink out) {
        boolean visible = visible();
        out.bounds(visible ? left : x, visible ? top : y, visible ? right - left : 0, visible ? bottom - top : 0);
    }

    /** The visible part of a rectangle inside the component. */
    void write(Sink out, Rectangle part) {
        int px = Math.max(left, x + part.x);
        int py = Math.max(top, y + part.y);
        out.bounds(px, py, Math.min(right, x + part.x + part.width) - px,
                Math.min(bottom, y + part.y + part.height) - py);
    }
}
