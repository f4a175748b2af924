package simulator;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The second factor of a login (guide 4.4): challenge, list of devices, and a form by method. On the event thread. */
final class SecondFactor {
    /** How it ended. */
    interface Outcome {
        void passed();

        /** Not passed because of *result*; *dialog* follows, or "" and the bare form. */
        void failed(String result, String dialog);
    }

    /** Codes that are further from IB's clock than this are wrong, not early or late. */
    private static final int FURTHEST_STEP = 20;

    private final Dialogs dialogs;
    private final Scenario scenario;
    private final Events events;
    private final LauncherLog log;
    private final Server server;
    /** Rises when a login's second factor begins or is over, so that its timers find out. */
    private int round;
    private int challenges;
    private int codeForms;
    private int refusals;
    private int attempt;
    private List<String> methods = new ArrayList<>();
    /** The method whose challenge runs. */
    private String running = "";
    private Outcome outcome;
    private Dialogs.Handle shown;

    SecondFactor(Dialogs dialogs, Scenario scenario, Events events, LauncherLog log, Server server) {
        this.dialogs = dialogs;
        this.scenario = scenario;
        this.events = events;
        this.log = log;
        this.server = server;
    }

    /** Whether a login in *mode* (live, paper) asks for it. */
    boolean wanted(String mode) {
        return !scenario.list("2fa.methods", "|", "").isEmpty()
            && scenario.list("2fa.modes", ",", "live").contains(mode);
    }

    void ask(int loginAttempt, Outcome then) {
        round++;
        attempt = loginAttempt;
        outcome = then;
        refusals = 0;
        methods = scenario.list("2fa.methods", "|", "IB Key");
        after(scenario.scaled("2fa.limit", "180"), this::limit);
        String first = methods.get(scenario.number("2fa.first", 0));
        challenge(first);
        if (methods.size() > 1 && "list".equals(scenario.text("2fa.start", "list"))) {
            showList(first);
        } else {
            showForm(first);
        }
    }

    /** The login is over for another reason. */
    void abandon() {
        round++;
        outcome = null;
        end();
    }

    /** As the phone, or the key, would answer (commands `approve` and `decline`). */
    void answer(boolean approve) {
        if (outcome == null || !(isPush(running) || isPasskey(running))) {
            events.write("command-failed", "line", approve ? "approve" : "decline", "reason", "no challenge");
        } else if (approve) {
            pass("approved");
        } else {
            fail("declined", afterLimit());
        }
    }

    private void after(int millis, Runnable task) {
        int mine = round;
        Ui.later(millis, () -> {
            if (mine == round) {
                task.run();
            }
        });
    }

    private static boolean isPush(String method) {
        return has(method, "ib key");
    }

    private static boolean isPasskey(String method) {
        return has(method, "passkey");
    }

    private static boolean has(String method, String words) {
        return method.toLowerCase(Locale.ROOT).contains(words);
    }

    /** A challenge begins: of IB Key, the phone rings. */
    private void challenge(String method) {
        running = method;
        events.write("2fa", "step", "challenge", "method", method, "attempt", attempt);
        if (isPush(method)) {
            List<String> times = scenario.list("2fa.approve", ",", "never");
            int approve = scenario.scaled(times.get(Math.min(challenges, times.size() - 1)));
            challenges++;
            after(approve, () -> {
                if (method.equals(running)) {
                    pass("approved");
                }
            });
        }
    }

    private void showList(String selected) {
        boolean blank = scenario.flag("2fa.blank", true);
        StringBuilder rows = new StringBuilder();
        for (String method : methods) {
            rows.append(rows.length() == 0 ? "" : "|").append(blank ? " " : "").append(method);
        }
        Map<String, String> fill = shared();
        fill.put("rows", rows.toString());
        fill.put("row", String.valueOf(methods.indexOf(selected)));
        events.write("2fa", "step", "list", "attempt", attempt);
        shown = dialogs.show("2fa-list", fill, answer -> {
            shown = null;
            if ("OK".equals(answer.button) && answer.row != null) {
                choose(blank ? answer.row.substring(1) : answer.row);
            } else {
                fail("cancelled", "");
            }
        }, link -> { });
    }

    private Map<String, String> shared() {
        Map<String, String> fill = new HashMap<>();
        if (scenario.flag("2fa.reuse", true)) {
            fill.put("reuse", "2fa");
            fill.put("stay", scenario.text("2fa.stay", "false"));
        }
        return fill;
    }

    private void choose(String method) {
        if (!method.equals(running)) {
            if (scenario.flag("2fa.kick", false)) {
                log.line("COMPETE: session kicked out");
                fail("kicked", "relogin");
                return;
            }
            challenge(method);
        }
        after(scenario.millis("2fa.formDelay", 0.3), () -> showForm(method));
    }

    private void showForm(String method) {
        Map<String, String> fill = shared();
        boolean totp = has(method, "mobile authenticator");
        String name = scenario.text("2fa.form", isPush(method) ? "2fa-push" : isPasskey(method) ? "2fa-passkey"
            : has(method, "card") ? "2fa-card" : "2fa-code");
        if ("2fa-code".equals(name)) {
            codeForms++;
            fill.put("keep", "OK");
            if (!totp) {
                fill.put("text", "Enter " + method + " code");
            }
        } else if (name.startsWith("2fa-card")) {
            codeForms++;
            fill.put("keep", "OK");
        } else if ("2fa-passkey".equals(name)) {
            fill.put("keep", scenario.text("dialog.2fa-passkey.buttons", ""));
        } else if ("2fa-browser".equals(name)) {
            fill.remove("reuse"); // a frame of its own
        }
        events.write("2fa", "step", "form", "method", method, "attempt", attempt);
        shown = dialogs.show(name, fill, answer -> {
            if ("OK".equals(answer.button) && answer.text != null) {
                Dialogs.Handle form = shown;
                after(scenario.millis("2fa.checkDelay", 0.2), () -> check(form, method, totp, answer.text));
            } else if (answer.button.startsWith("Authenticate")) {
                events.write("2fa", "step", "authenticate", "attempt", attempt);
                after(scenario.scaled("2fa.passkey", "never"), () -> pass("approved"));
            } else if ("Enter Read Only".equals(answer.button)) {
                shown = null;
                fail("read-only", "");
            } else {
                shown = null;
                fail("cancelled", "");
            }
        }, this::link);
    }

    private void link(String text) {
        events.write("2fa", "step", "link", "text", text, "attempt", attempt);
        if ("Change security device".equals(text)) {
            closeShown();
            after(scenario.millis("2fa.formDelay", 0.3), () -> showList(running));
        }
    }

    // --- codes -------------------------------------------------------------------------------------------------

    private void check(Dialogs.Handle form, String method, boolean totp, String code) {
        String secret = scenario.text("2fa.totp.secret", "").trim();
        double now = System.currentTimeMillis() / 1000.0 + Double.parseDouble(scenario.text("2fa.totp.offset", "0"));
        long step = (long) Math.floor(now / Totp.PERIOD);
        Integer drift = null;
        String reason;
        if (totp && !secret.isEmpty()) {
            drift = drift(secret, step, code);
            int window = scenario.number("2fa.totp.window", 1);
            reason = !code.matches("[0-9]{6}") ? "format" : drift == null ? "wrong" : drift < -window ? "expired"
                : drift > window ? "early" : server.spend(step + drift) ? "ok" : "used";
        } else {
            List<String> codes = scenario.list("2fa.code", ",", "");
            String right = codes.isEmpty() ? null : codes.get(Math.min(codeForms, codes.size()) - 1).trim();
            reason = code.isEmpty() ? "format" : code.equals(right) ? "ok" : "wrong";
        }
        boolean accepted = "ok".equals(reason);
        events.write("code", "length", code.length(), "result", accepted ? "accepted" : "refused", "reason", reason,
            "drift", drift, "left", (step + 1) * Totp.PERIOD - now, "method", method, "attempt", attempt);
        if (accepted) {
            pass("code");
        } else {
            refuse(form);
        }
    }

    /** By how many time steps *code* is off, or null where it is none of this secret's. */
    private static Integer drift(String secret, long step, String code) {
        for (int away = 0; away <= FURTHEST_STEP; away++) {
            for (int drift : new int[] {away, -away}) {
                if (Totp.code(secret, step + drift).equals(code)) {
                    return drift;
                }
            }
        }
        return null;
    }

    private void refuse(Dialogs.Handle form) {
        refusals++;
        if (tooMany(server.failed())) {
            fail("code", "too-many");
        } else if (refusals >= scenario.number("2fa.tries", 3)) {
            fail("code", scenario.text("2fa.triesDialog", "login-failed-transient"));
        } else if ("form".equals(scenario.text("2fa.wrong", "form"))) {
            form.note(scenario.text("2fa.wrongText", "Invalid security code. Please try again."));
        } else {
            fail("code", scenario.text("2fa.wrong", ""));
        }
    }

    private boolean tooMany(int failures) {
        int limit = scenario.number("too-many.after", 0);
        return limit > 0 && failures >= limit;
    }

    // --- ends --------------------------------------------------------------------------------------------------

    private String afterLimit() {
        String after = scenario.text("2fa.afterLimit", "form");
        return "form".equals(after) ? "" : after;
    }

    private void limit() {
        fail("limit", tooMany(server.failed()) ? "too-many" : afterLimit());
    }

    private void pass(String step) {
        Outcome then = outcome;
        round++;
        outcome = null;
        events.write("2fa", "step", step, "attempt", attempt);
        end();
        then.passed();
    }

    private void fail(String step, String dialog) {
        Outcome then = outcome;
        round++;
        outcome = null;
        if (!"code".equals(step)) {
            events.write("2fa", "step", step, "attempt", attempt);
        }
        end();
        then.failed("2fa-" + step, dialog);
    }

    private void end() {
        closeShown();
        dialogs.hide("2fa");
    }

    private void closeShown() {
        if (shown != null) {
            shown.close();
            shown = null;
        }
    }
}
