package simulator;

import java.util.function.Consumer;

/** D-RELOGIN (guide 4.3): it asks, goes, and asks again with a higher counter, until it is answered. */
final class Relogin {
    private final Dialogs dialogs;
    private final Scenario scenario;
    /** Shows the counter in the progress frame's title. */
    private final Consumer<Integer> count;
    private final Consumer<Boolean> answered;
    private Dialogs.Handle shown;
    private int attempt;
    /** Rises when it begins and ends, so that its timers find out. */
    private int round;

    Relogin(Dialogs dialogs, Scenario scenario, Consumer<Integer> count, Consumer<Boolean> answered) {
        this.dialogs = dialogs;
        this.scenario = scenario;
        this.count = count;
        this.answered = answered;
    }

    void begin() {
        stop();
        attempt = 0;
        ask();
    }

    void stop() {
        round++;
        if (shown != null) {
            shown.close();
            shown = null;
        }
    }

    private void ask() {
        int mine = round;
        attempt++;
        count.accept(attempt);
        shown = dialogs.show("relogin", Dialogs.NOTHING, answer -> {
            shown = null;
            round++;
            answered.accept(dialogs.goesOn("relogin", answer.button));
        }, link -> { });
        Ui.later(scenario.scaled("relogin.interval", "180"), () -> {
            if (mine == round) {
                shown.close();
                Ui.later(scenario.scaled("relogin.gap", "1"), () -> {
                    if (mine == round) {
                        ask();
                    }
                });
            }
        });
    }
}
