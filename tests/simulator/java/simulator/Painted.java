package simulator;

import java.awt.Dimension;
import java.awt.Graphics;
import java.awt.event.MouseAdapter;
import java.awt.event.MouseEvent;
import java.util.function.Consumer;
import javax.swing.JComponent;

/** Contents that Swing does not tell of, as JavaFX and a browser draw them; a person's mouse reaches them (guide 4.5). */
final class Painted extends JComponent {
    private static final int LINE = 40;
    private static final long serialVersionUID = 1;

    private final String[] captions;

    Painted(String[] captions, Events events, Consumer<String> answered) {
        this.captions = captions;
        setPreferredSize(new Dimension(320, LINE * (captions.length + 1)));
        addMouseListener(new MouseAdapter() {
            @Override
            public void mousePressed(MouseEvent event) {
                int line = event.getY() / LINE - 1;
                if (line >= 0 && line < Painted.this.captions.length && !Painted.this.captions[line].isEmpty()) {
                    events.pressed(Painted.this, Painted.this.captions[line], false);
                    answered.accept(Painted.this.captions[line]);
                }
            }
        });
    }

    @Override
    protected void paintComponent(Graphics drawing) {
        drawing.drawRect(1, 1, getWidth() - 2, getHeight() - 2);
        for (int i = 0; i < captions.length; i++) {
            drawing.drawString(captions[i], 20, LINE * (i + 1) + 25);
        }
    }
}
