package simulator;

import java.util.function.Consumer;

/** Another session of the same user, that takes and loses the session as people do (guide 2.8). On the event thread. */
final class OtherSession {
    /** What becomes of this process. */
    interface Here {
        /** The other one took the session; *dialog* says so. */
        void displaced(String dialog);
    }

    private final Scenario scenario;
    private final Events events;
    private final LauncherLog log;
    private final Dialogs dialogs;
    private final Server server;
    private final Here here;
    /** Until when the slot of a process that did not log out is taken (Unix milliseconds). */
    private long strandedUntil;
    /** What shows here when the other one insists next. */
    private String next = "existing-displaced";
    /** Rises when the session changes hands, so that what the other one was about to do finds out. */
    private int change;

    OtherSession(Scenario scenario, Events events, LauncherLog log, Dialogs dialogs, Server server, Here here) {
        this.scenario = scenario;
        this.events = events;
        this.log = log;
        this.dialogs = dialogs;
        this.server = server;
        this.here = here;
    }

    /** At the start of a process. */
    void begin(boolean byToken) {
        String holder = server.holder(scenario.flag("other.session", false) ? Server.OTHER : Server.NOBODY);
        if (Server.THIS.equals(holder) && !byToken) {
            strandedUntil = System.currentTimeMillis() + scenario.scaled("unclean.slot", "0");
            holder = Server.NOBODY;
        }
        server.set("holder", holder);
    }

    private boolean holds() {
        return Server.OTHER.equals(server.holder(Server.NOBODY)) || System.currentTimeMillis() < strandedUntil;
    }

    /** A login meets the other session, where there is one: *proceed*, or *giveUp* with the text of the button. */
    void meet(Runnable proceed, Consumer<String> giveUp) {
        if (!holds()) {
            proceed.run();
            return;
        }
        next = "relogin";
        String dialog = scenario.text("other.dialog", "existing");
        dialogs.show(dialog, text -> {
            if (dialogs.goesOn(dialog, text)) {
                proceed.run();
            } else {
                giveUp.accept(text);
            }
        });
    }

    /** This process has the session now; the other one, if it had it, may insist. */
    void lost() {
        boolean had = Server.OTHER.equals(server.holder(Server.NOBODY));
        strandedUntil = 0;
        setHolder(Server.THIS);
        long insisted = server.number("insisted", 0);
        if (had && insisted < scenario.number("other.insists", 0)) {
            int mine = change;
            Ui.later(scenario.scaled("other.delay", "2"), () -> {
                if (mine == change) {
                    server.set("insisted", String.valueOf(insisted + 1));
                    take(next);
                    next = "existing-displaced";
                }
            });
        }
    }

    /** Command `other-login`. */
    void logsIn() {
        server.set("insisted", "0");
        next = "existing-displaced";
        if (Server.THIS.equals(server.holder(Server.NOBODY))) {
            take(scenario.text("other.displaced", "relogin"));
        } else {
            setHolder(Server.OTHER);
        }
    }

    /** Command `other-logout`. */
    void logsOut() {
        server.set("insisted", "0");
        if (Server.OTHER.equals(server.holder(Server.NOBODY))) {
            setHolder(Server.NOBODY);
        }
    }

    /** This process logged out. */
    void gone() {
        if (Server.THIS.equals(server.holder(Server.NOBODY))) {
            setHolder(Server.NOBODY);
        }
    }

    private void take(String dialog) {
        setHolder(Server.OTHER);
        log.line("COMPETE: session kicked out");
        log.line("Disconnect all farms due to competing session");
        events.write("displaced", "by", "other", "dialog", dialog);
        here.displaced(dialog);
    }

    private void setHolder(String holder) {
        change++;
        if (!holder.equals(server.holder(Server.NOBODY))) {
            server.set("holder", holder);
            events.write("session", "holder", holder);
        }
    }
}
