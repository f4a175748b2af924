package simulator;

import java.awt.KeyboardFocusManager;
import java.awt.Window;
import java.awt.event.KeyEvent;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.swing.JDialog;
import javax.swing.SwingUtilities;
import javax.swing.Timer;

/** The life of one process (guide 2): login frame, progress, main window, end. State belongs to the event thread. */
public final class Gateway implements ApiServer.Session {
    private final File settingsDir;
    private final Scenario scenario;
    private final Events events;
    private final LauncherLog log;
    private final JtsIni ini;
    private final String version;
    private final AtomicBoolean ended = new AtomicBoolean();
    private Ui ui;
    private Dialogs dialogs;
    private LoginFrame login;
    private WelcomeFrame welcome;
    private MainWindow main;
    private ApiServer api;
    private volatile Settings settings;
    private volatile boolean answering;
    private volatile boolean connected;
    private volatile String account = "";
    private volatile List<String> trusted = new ArrayList<>();
    private boolean paper;
    private boolean complete;
    private boolean closing;
    /** Logins by the form, and those and re-logins together. */
    private int logins;
    private int attempt;
    /** Whether a login, or a re-login, has not had its result yet. */
    private boolean underWay;
    /** Rises when a login begins or is over, so that what was to follow finds out. */
    private int run;
    private Server server;
    private SecondFactor secondFactor;
    private OtherSession other;
    private Relogin relogin;
    private int relogins;
    /** The run whose second factor was passed. */
    private int passedSecondFactor = -1;
    /** What was last submitted, or restored from the token. */
    private LoginFrame.Login form;
    /** Dialogs whose "Don't display this message again" was ticked. */
    private final Set<String> remembered = Collections.synchronizedSet(new HashSet<>());
    /** Who is logged in. */
    private LoginFrame.Login session;
    /** Whether the login under way is one by token, which asks nobody anything. */
    private boolean resumed;
    private int reconnectAttempt;
    private Timer reconnecting;
    /** Kept reachable: they show as long as the process runs. */
    private List<Window> decoys;

    private Gateway(File settingsDir, File installDir) throws IOException {
        this.settingsDir = settingsDir;
        scenario = new Scenario(settingsDir, installDir);
        events = new Events(new File(settingsDir, "simulator-events.jsonl"));
        log = new LauncherLog(new File(settingsDir, "launcher.log"));
        ini = new JtsIni(new File(settingsDir, "jts.ini"));
        version = System.getProperty("simulator.version", "10.45.1j");
    }

    public static void start(String[] args) throws Exception {
        File settingsDir = settingsDir();
        if (!settingsDir.isDirectory() && !settingsDir.mkdirs()) {
            System.err.println("cannot create " + settingsDir);
            System.exit(1);
        }
        Gateway gateway = new Gateway(settingsDir, new File(System.getProperty("install4j.appDir", ".")));
        gateway.begin(args);
    }

    /** The property, unless it still is the launcher's placeholder (guide 1.8); then ~/Jts (guide 1.9). */
    private static File settingsDir() {
        String value = System.getProperty("jtsConfigDir", "");
        if (value.isEmpty() || value.startsWith("${")) {
            return new File(System.getProperty("user.home"), "Jts");
        }
        return new File(value);
    }

    private void begin(String[] args) throws IOException {
        events.write("start", "args", Arrays.asList(args), "pid", pid(), "settings_dir", settingsDir.getPath(),
            "version", version, "java_version", System.getProperty("java.version"), "java_home",
            System.getProperty("java.home"), "max_heap", Runtime.getRuntime().maxMemory(), "jvm_args",
            ManagementFactory.getRuntimeMXBean().getInputArguments(), "properties", interesting(), "environment",
            new ArrayList<>(new java.util.TreeSet<>(System.getenv().keySet())));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            if (ended.compareAndSet(false, true)) {
                events.write("exit", "how", "signal", "code", 143);
            }
        }));
        System.out.println("LogModuleConfigurator-Init: Log4j Ver2.x found on classpath");
        log.line("Starting IB Gateway " + version);
        seedIni();
        events.watchComponents();
        ui = new Ui(scenario.text("classes", "10.50"), "os".equals(scenario.text("titlebar", "")), events);
        api = new ApiServer(this, events, () -> main);
        SwingUtilities.invokeLater(() -> {
            dialogs = new Dialogs(ui, scenario, events, this::topWindow, this::command);
            server = new Server(new File(scenario.text("server.state",
                new File(settingsDir, "simulator-server.properties").getPath())));
            secondFactor = new SecondFactor(dialogs, scenario, events, log, server);
            other = new OtherSession(scenario, events, log, dialogs, server, this::displaced);
            relogin = new Relogin(dialogs, scenario, this::countRelogin, this::reloginAnswered);
            other.begin(token().isFile());
            Ui.later(scenario.millis("delay.start", 0), this::showLogin);
        });
        new Commands(settingsDir, this::command).start();
    }

    private static long pid() {
        return Long.parseLong(ManagementFactory.getRuntimeMXBean().getName().split("@")[0]);
    }

    private static Map<String, Object> interesting() {
        Map<String, Object> found = Events.map();
        for (String name : System.getProperties().stringPropertyNames()) {
            if (!name.matches("(java|sun|os|user|file|line|path|jdk|native|awt|std(out|err))\\..*")) {
                found.put(name, System.getProperty(name));
            }
        }
        return found;
    }

    private void seedIni() {
        ini.setDefault("IBGateway", "WriteDebug", "false");
        ini.setDefault("IBGateway", "TrustedIPs", "127.0.0.1");
        ini.setDefault("IBGateway", "LocalServerPort", "4000");
        ini.setDefault("IBGateway", "MainWindow.Width", "700");
        ini.setDefault("IBGateway", "MainWindow.Height", "550");
        ini.setDefault("Logon", "Locale", "en");
        ini.setDefault("Logon", "tradingMode", "l");
        ini.setDefault("Logon", "colorPalletName", "dark");
        ini.setDefault("Logon", "os_titlebar", "false");
        ini.set("Logon", "Steps", String.valueOf(Integer.parseInt(ini.get("Logon", "Steps", "0")) + 1));
        ini.setDefault("Communication", "ctciAutoEncrypt", "true");
        ini.setDefault("Communication", "Internal", "false");
        ini.setDefault("Communication", "LocalPort", "0");
        ini.save();
        trusted = Arrays.asList(ini.get("IBGateway", "TrustedIPs", "127.0.0.1").split(","));
    }

    // --- login ---------------------------------------------------------------------------------------------------

    private void showLogin() {
        if (scenario.flag("decoys", true)) {
            decoys = LoginFrame.decoys(ui, scenario.text("title", "IBKR Gateway"));
        }
        login = new LoginFrame(ui, scenario, ini, this::submitted, () -> {
            events.write("window-exit", "window", "login");
            end(0, "login-window-closed");
        });
        welcome = new WelcomeFrame(ui, version);
        if (token().isFile()) {
            resume(token());
            return;
        }
        login.frame.setVisible(true);
        inSequence(scenario.list("dialogs.start", ",", ""), () -> { });
        String user = scenario.text("autopilot.user", "");
        if (!user.isEmpty()) {
            Ui.later(100, () -> login.autopilot(user, scenario.text("autopilot.password", "secret"),
                scenario.text("autopilot.mode", "paper")));
        }
    }

    private File token() {
        return new File(new File(settingsDir, System.getProperty("restart", "?")), "autorestart");
    }

    /** Runs *task* after so long, unless the login that it belongs to is over by then. */
    private void after(int millis, Runnable task) {
        int mine = run;
        Ui.later(millis, () -> {
            if (mine == run) {
                task.run();
            }
        });
    }

    private void submitted(LoginFrame.Login form) {
        scenario.reload();
        run++;
        attempt++;
        logins++;
        underWay = true;
        this.form = form;
        String digest = sha256(new String(form.password));
        Map<String, Object> details = Events.map("user", form.user, "mode", form.mode, "tab", form.tab,
            "password_length", form.password.length, "password_sha256", digest, "region", form.region, "time_zone",
            form.timeZone, "attempt", attempt);
        if (form.fix()) {
            details.put("data_user", form.dataUser);
            details.put("data_password_length", form.dataPassword.length);
        }
        events.write("login", details);
        paper = "paper".equals(form.mode);
        account = scenario.text("account", paper ? "DU1234567" : "U1234567");
        login.setBusy(true, "connecting to server (trying for another 30 seconds)");
        List<String> steps = plan(form);
        after(scenario.millis("delay.welcome", 0.15), () -> loading(form, steps));
    }

    /** What IB will make of the attempt. */
    private List<String> plan(LoginFrame.Login form) {
        int allowed = scenario.number("rate.attempts", 0);
        boolean often = allowed > 0 && server.attempted(scenario.scaled("rate.window", "60")) > allowed;
        if (server.secondsToWait() > 0) {
            return Collections.singletonList("too-many");
        }
        if (often) {
            return Collections.singletonList(scenario.text("rate.effect", "too-many"));
        }
        if (!right(form)) {
            int limit = scenario.number("too-many.after", 0);
            boolean enough = server.failed() >= limit && limit > 0;
            return Collections.singletonList(enough ? "too-many" : scenario.text("login.wrong", "login-failed"));
        }
        return steps("login.outcomes", logins);
    }

    private boolean right(LoginFrame.Login form) {
        String password = new String(form.password);
        if (!form.fix()) {
            return matches("login.user", form.user) && matches("login.password", password);
        }
        String dataPassword = new String(form.dataPassword);
        return matches("login.fixUser", form.user) && matches("login.fixPassword", password)
            && (form.dataUser.isEmpty() && dataPassword.isEmpty()
                || matches("login.user", form.dataUser) && matches("login.password", dataPassword));
    }

    /** The steps of the *number*th outcome of *key*, from 1; the last outcome repeats. */
    private List<String> steps(String key, int number) {
        List<String> outcomes = scenario.list(key, ",", "ok");
        return Arrays.asList(outcomes.get(Math.max(0, Math.min(number, outcomes.size()) - 1)).trim().split("\\+"));
    }

    /** A start with the session token of the former process: nobody fills the form (guide 2.6, 3.4). */
    private void resume(File token) {
        LoginFrame.Login form = new LoginFrame.Login();
        try {
            List<String> lines = Files.readAllLines(token.toPath(), StandardCharsets.UTF_8);
            Files.delete(token.toPath());
            form.user = lines.get(0);
            form.mode = lines.get(1);
            form.tab = lines.get(2);
            form.region = lines.get(3);
            form.timeZone = lines.get(4);
        } catch (IOException problem) {
            throw new IllegalStateException("autorestart", problem);
        }
        log.line("Running in auto-restart mode: restoring session token...");
        boolean valid = "ok".equals(scenario.text("restart.token", "ok"));
        events.write("token", "user", form.user, "valid", valid);
        if (!valid) {
            log.line("Session expired [sessionId=1a2b3c, softToken=0]");
        }
        paper = "paper".equals(form.mode);
        account = scenario.text("account", paper ? "DU1234567" : "U1234567");
        login.frame.setVisible("disabled".equals(scenario.text("restart.frame", "disabled")));
        login.setBusy(true, "");
        run++;
        this.form = form;
        underWay = true;
        resumed = true;
        List<String> steps = Collections.singletonList(valid ? "ok" : scenario.text("restart.dialog", "token"));
        after(scenario.millis("delay.welcome", 0.15), () -> loading(form, steps));
    }

    /** The nightly self-restart: the token is written, the restarter started, and this process ends (guide 2.6). */
    private void selfRestart() {
        events.write("self-restart");
        File userDir = new File(settingsDir, userDirName(session.user));
        try {
            Files.write(new File(userDir, "autorestart").toPath(), Arrays.asList(session.user, session.mode, session.tab,
                session.region, session.timeZone), StandardCharsets.UTF_8);
            String appDir = System.getProperty("install4j.appDir");
            new ProcessBuilder(appDir + "/.install4j/restarter", "-VjtsConfigDir=" + settingsDir,
                "-J-DjtsConfigDir=" + settingsDir, "-J-Drestart=" + userDir.getName())
                .redirectOutput(new File("/dev/null")).redirectError(new File("/dev/null")).start();
        } catch (IOException problem) {
            events.write("self-restart-failed", "reason", String.valueOf(problem));
        }
        api.close();
        settings.save();
        end(0, "self-restart");
    }

    private boolean matches(String key, String value) {
        String wanted = scenario.text(key, "");
        return wanted.isEmpty() || wanted.equals(value);
    }

    private void loading(LoginFrame.Login form, List<String> steps) {
        String user = "Logging in " + form.user;
        String fixWelcome = scenario.text("fix.welcome", "closes");
        if (!(form.fix() && "none".equals(fixWelcome))) {
            welcome.show("Loading...", "Requesting startup parameters..", user, 10);
        }
        after(scenario.millis("delay.loading", 0.1), () -> {
            progress(form, "Connecting to server...", "Connecting to server", 30);
            log.line("Connecting to gdc1.ibllc.com:4001");
            after(scenario.millis("delay.connecting", 0.1), () -> authenticating(form, steps));
        });
    }

    /** In FIX mode the frame, where there is one, stays at "Loading..." (guide 2.2). */
    private void progress(LoginFrame.Login form, String title, String text, int percent) {
        if (!form.fix()) {
            welcome.show(title, text, "Logging in " + form.user, percent);
        }
    }

    private void authenticating(LoginFrame.Login form, List<String> steps) {
        login.frame.setVisible(scenario.flag("login.stays", false));
        if (main == null) {
            // Its object and its menus exist before authentication ends (guide 2.3).
            main = new MainWindow(ui, scenario, ini, this::menu, this::windowClosing);
            watchShortcuts();
        }
        main.frame.setVisible(true);
        progress(form, "Authenticating...", "Authenticating", 50);
        noise();
        authenticate(form, steps);
    }

    private void authenticate(LoginFrame.Login form, List<String> steps) {
        log.line("Authenticating");
        log.line("AuthTimeoutMonitor-CCP: activate");
        if (!"silent".equals(steps.get(0))) {
            after(200, () -> log.line("NS_AUTH_START"));
        }
        after(scenario.millis("delay.authenticating", 0.1), () -> outcome(form, steps));
    }

    /** Its stderr is voluminous, and whoever starts it must drain that (guide 1.11): more than a pipe holds. */
    private void noise() {
        for (int written = 0; written < scenario.number("noise", 96) * 1024; written += 100) {
            System.err.println("WARN  jts.g.h.a - no handler for field 8" + String.format("%059d", written));
        }
    }

    /** Goes through the steps of an attempt, each a name of the README's or of a dialog. */
    private void outcome(LoginFrame.Login form, List<String> steps) {
        int mine = run;
        String step = steps.isEmpty() ? "ok" : steps.get(0);
        List<String> rest = steps.isEmpty() ? steps : steps.subList(1, steps.size());
        Runnable next = () -> {
            if (mine == run) {
                outcome(form, rest);
            }
        };
        switch (step) {
            case "ok":
                if (resumed) {
                    initializing(form);
                } else {
                    other.meet(() -> {
                        if (mine == run) {
                            other.lost();
                            afterOther(form);
                        }
                    }, text -> gaveUp("existing", text));
                }
                break;
            case "2fa":
                askSecondFactor(form, next);
                break;
            case "retry":
                progress(form, "Attempt 2: server error, will retry in seconds...", "Server error", 50);
                after(scenario.millis("delay.retry", 0.5), () -> {
                    progress(form, "Attempt 2: Authenticating...", "Authenticating", 55);
                    next.run();
                });
                break;
            case "silent":
                after(scenario.scaled("silent.timeout", "20"), () -> {
                    log.line("AuthTimeoutMonitor-CCP: Timeout!");
                    String dialog = scenario.text("silent.dialog", "server-disconnected");
                    refused("silent", "none".equals(dialog) ? "" : dialog);
                });
                break;
            case "connecting":
                showConnecting(next);
                break;
            case "too-many":
                refusedTooMany();
                break;
            default:
                if (scenario.text("dialog." + step + ".go", "").isEmpty()) {
                    refused(step, step);
                    break;
                }
                dialogs.show(step, text -> {
                    if (mine != run) {
                        return;
                    }
                    if (dialogs.goesOn(step, text)) {
                        next.run();
                    } else {
                        gaveUp(step, text);
                    }
                });
        }
    }

    private void afterOther(LoginFrame.Login form) {
        boolean asked = passedSecondFactor == run;
        if (secondFactor.wanted(form.mode) && !asked && !complete) {
            askSecondFactor(form, () -> initializing(form));
        } else {
            initializing(form);
        }
    }

    private void askSecondFactor(LoginFrame.Login form, Runnable next) {
        int mine = run;
        secondFactor.ask(attempt, new SecondFactor.Outcome() {
            @Override
            public void passed() {
                passedSecondFactor = mine;
                next.run();
            }

            @Override
            public void failed(String result, String dialog) {
                refused(result, dialog);
            }
        });
    }

    /** D-CONNPROG: it goes by itself, and whatever is pressed in it cancels the login (guide 4.3). */
    private void showConnecting(Runnable next) {
        int mine = run;
        Dialogs.Handle shown = dialogs.show("connecting", text -> {
            if (mine == run) {
                refused("connecting-cancelled", "");
            }
        });
        after(scenario.scaled("connecting.time", "2"), () -> {
            shown.close();
            next.run();
        });
    }

    private void refusedTooMany() {
        long left = server.secondsToWait();
        boolean early = left > 0;
        String text = scenario.text("dialog.too-many.text", "");
        if (early || !scenario.text("too-many.wait", "").isEmpty()) {
            left = early ? left : scenario.number("too-many.wait", 53);
            text = "Too many failed login attempts. Please wait " + words(left)
                + " before attempting to re-login again.";
        } else {
            left = seconds(text);
        }
        if (!early) {
            server.serveNobodyFor(left);
        }
        Map<String, Object> details = Events.map("result", "too-many", "attempt", attempt, "early", early,
            "seconds_left", left);
        backToForm(details);
        dialogs.show("too-many", Collections.singletonMap("text", text), answer -> { }, link -> { });
    }

    private static String words(long seconds) {
        String minutes = seconds < 60 ? "" : seconds / 60 + (seconds / 60 == 1 ? " minute" : " minutes");
        String rest = seconds % 60 + (seconds % 60 == 1 ? " second" : " seconds");
        return minutes.isEmpty() ? rest : seconds % 60 == 0 ? minutes : minutes + " & " + rest;
    }

    /** The waiting time that *text* names. */
    private static long seconds(String text) {
        long total = 0;
        Matcher part = Pattern.compile("(\\d+) (minute|second)").matcher(text);
        while (part.find()) {
            total += Long.parseLong(part.group(1)) * (part.group(2).startsWith("m") ? 60 : 1);
        }
        return total;
    }

    /** Back to the form, with *dialog* over it: one, "" for none, or several stacked (`A&B`). */
    private void refused(String result, String dialog) {
        if ("too-many".equals(dialog)) {
            refusedTooMany();
            return;
        }
        if ("relogin".equals(dialog)) {
            lostLogin(result);
            return;
        }
        backToForm(Events.map("result", result, "attempt", attempt));
        showStacked(dialog, () -> { });
    }

    private void backToForm(Map<String, Object> result) {
        run++;
        if (underWay) {
            underWay = false;
            events.write("login-result", result);
        }
        secondFactor.abandon();
        relogin.stop();
        other.gone();
        dialogs.closeAll();
        welcome.close();
        loggedOut();
        if (main != null) {
            main.frame.setVisible(false);
        }
        resumed = false;
        login.setBusy(false, "");
        if (scenario.flag("login.clearAfterFailure", true)) {
            login.clear();
        }
        login.frame.setVisible(true);
    }

    /** Nobody is logged in any more; the API has nothing to say. */
    private void loggedOut() {
        if (complete) {
            events.write("logged-out");
            api.close();
        }
        complete = false;
        connected = false;
        answering = false;
    }

    /** *text* was pressed instead of going on: the form, or the end of the process (guide 4.3). */
    private void gaveUp(String step, String text) {
        if ("Exit Application".equals(text)) {
            backToForm(Events.map("result", step, "attempt", attempt));
            end(0, "exit-application");
            return;
        }
        refused(step, "");
    }

    // --- other sessions, and lost ones ---------------------------------------------------------------------------

    /** Another session took ours, whatever we were at. */
    private void displaced(String dialog) {
        run++;
        secondFactor.abandon();
        relogin.stop();
        if (reconnecting != null) {
            reconnecting.stop();
        }
        disconnected();
        if ("relogin".equals(dialog)) {
            relogin.begin();
            return;
        }
        int mine = run;
        dialogs.show(dialog, text -> {
            if (mine != run) {
                return;
            }
            if (dialogs.goesOn(dialog, text)) {
                again(Collections.singletonList("ok"));
            } else {
                gaveUp(dialog, text);
            }
        });
    }

    private void disconnected() {
        connected = false;
        if (main != null) {
            main.setStatus(false, false);
        }
        if (complete) {
            api.broadcast(1100, "Connectivity between IBKR and Trader Workstation has been lost.");
        }
    }

    /** The login under way ends in D-RELOGIN. */
    private void lostLogin(String result) {
        if (underWay) {
            underWay = false;
            events.write("login-result", "result", result, "attempt", attempt);
        }
        displaced("relogin");
    }

    private void countRelogin(int count) {
        if (form == null || !form.fix()) {
            welcome.show("Attempt " + count + ": Authenticating...", "Authenticating", "", 50);
        }
    }

    private void reloginAnswered(boolean yes) {
        if (yes) {
            relogins++;
            scenario.reload();
            again(steps("relogin.outcomes", relogins));
        } else if ("exit".equals(scenario.text("relogin.cancel", "form"))) {
            other.gone();
            end(0, "relogin-cancelled");
        } else {
            refused("relogin-cancelled", "");
        }
    }

    /** The session is taken up again with what IB knows of us; the form is not asked. */
    private void again(List<String> steps) {
        run++;
        attempt++;
        underWay = true;
        events.write("relogin", "attempt", attempt);
        other.lost();
        progress(form, "Connecting to server...", "Connecting to server", 30);
        after(scenario.millis("delay.connecting", 0.1), () -> {
            progress(form, "Authenticating...", "Authenticating", 50);
            resumed = true;
            authenticate(form, steps);
        });
    }

    private void initializing(LoginFrame.Login form) {
        resumed = false;
        underWay = false;
        session = form;
        events.write("login-result", "result", "ok", "attempt", attempt);
        server.succeeded();
        if (complete) {
            restoreConnection();
            return;
        }
        File userDir = new File(settingsDir, userDirName(form.user));
        if (!userDir.isDirectory() && !userDir.mkdirs()) {
            System.err.println("cannot create " + userDir);
        }
        settings = new Settings(userDir, paper, scenario, events);
        rememberLogin(form, userDir.getName());
        connected = true;
        main.setStatus(true, false);
        main.message("Build " + version);
        progress(form, "Initializing environment...", "Initializing", 70);
        boolean early = paper && scenario.flag("paper.early", false);
        after(scenario.millis("delay.initializing", 0.1), () -> {
            progress(form, "Starting application...", "Starting", 90);
            if (early) {
                showPaperWarning();
            }
            after(scenario.millis("delay.starting", 0.1), () -> loginComplete(form.fix(), early));
        });
    }

    private void rememberLogin(LoginFrame.Login form, String userDir) {
        ini.set("IBGateway", "ApiOnly", String.valueOf("IB API".equals(form.tab)));
        ini.set("IBGateway", "RemoteHostOrderRouting", "ndc1.ibllc.com");
        ini.set("IBGateway", "RemotePortOrderRouting", "4001");
        ini.set("Logon", "tradingMode", paper ? "p" : "l");
        ini.set("Logon", "TimeZone", form.timeZone.replace(' ', '_'));
        ini.set("Logon", "UserNameToDirectory", sha256(form.user).substring(0, 12) + "," + userDir);
        ini.set("Communication", "Peer", "gdc1.ibllc.com:4001");
        ini.set("Communication", "Region", form.region.equals("America") ? "us"
            : form.region.equals("China") ? "cn" : form.region.substring(0, 2).toLowerCase(Locale.ROOT));
        ini.set("ns", userDir.substring(0, 8), "1");
        ini.setDefault("u:" + userDir, "AutoRestart", "Auto restart".equals(settings.get("exitKind")) ? "1" : "0");
        ini.save();
    }

    private void loginComplete(boolean fix, boolean paperShown) {
        if (!(fix && "stays".equals(scenario.text("fix.welcome", "closes")))) {
            welcome.close();
        }
        complete = true;
        main.setStatus(true, true);
        main.frame.toFront();
        log.line("autoRestartType=" + ("Auto restart".equals(settings.get("exitKind")) ? "DAILY" : "NONE"));
        events.write("login-complete");
        main.setFixMode(fix);
        boolean warn = paper && scenario.flag("paper.dialog", true);
        answering = answering || !warn;
        int port = fix ? Integer.parseInt(ini.get("IBGateway", "LocalServerPort", "4000"))
            : Integer.parseInt(settings.get("socketPort"));
        Ui.later(scenario.millis("delay.api", 0), () -> api.listen(port));
        if (warn && !paperShown) {
            Ui.later(scenario.millis("delay.paper", 0.1), this::showPaperWarning);
        }
        inSequence(scenario.list("dialogs.ready", ",", ""), () -> { });
    }

    private void showPaperWarning() {
        dialogs.show("paper", text -> {
            answering = true;
            events.write("paper-accepted");
        });
    }

    private void inSequence(List<String> names, Runnable after) {
        if (names.isEmpty()) {
            after.run();
            return;
        }
        showStacked(names.get(0).trim(), () -> inSequence(names.subList(1, names.size()), after));
    }

    /** Shows the dialogs of `A&B`, one over the other; *after* all are answered. */
    private void showStacked(String names, Runnable after) {
        int[] unanswered = {0};
        for (String name : names.split("&")) {
            if (!name.isEmpty()) {
                unanswered[0]++;
                dialogs.show(name, text -> {
                    unanswered[0]--;
                    if (unanswered[0] == 0) {
                        after.run();
                    }
                });
            }
        }
    }

    // --- main window ---------------------------------------------------------------------------------------------

    private void menu(String path) {
        if (!complete) {
            events.write("early-menu", "path", path);
            throw new NullPointerException("Cannot invoke \"x.b()\" because \"this.d\" is null: " + path);
        }
        switch (path) {
            case "File > Close":
                events.write("menu-exit");
                close("menu");
                break;
            case "Configure > Settings":
                Ui.later(scenario.millis("settings.delay", 0.1), this::openSettings);
                break;
            case "Configure > Automatic Encryption":
                ini.set("Communication", "ctciAutoEncrypt",
                    String.valueOf(!"true".equals(ini.get("Communication", "ctciAutoEncrypt", "true"))));
                break;
            case "File > Gateway Logs":
            case "File > API Logs":
                dialogs.show("view-logs", text -> { });
                break;
            default:
                dialogs.show("about", text -> { });
        }
    }

    /** Ctrl+Alt+F and Ctrl+Alt+R in the main window (guide 5.4), each after D-RECONN. */
    private void watchShortcuts() {
        KeyboardFocusManager.getCurrentKeyboardFocusManager().addKeyEventDispatcher(event -> {
            boolean data = event.getKeyCode() == KeyEvent.VK_F;
            if (event.getID() != KeyEvent.KEY_PRESSED || !event.isControlDown() || !event.isAltDown()
                    || !data && event.getKeyCode() != KeyEvent.VK_R
                    || KeyboardFocusManager.getCurrentKeyboardFocusManager().getFocusedWindow() != main.frame) {
                return false;
            }
            dialogs.show("reconnect", text -> {
                if (dialogs.goesOn("reconnect", text)) {
                    reconnect(data);
                }
            });
            return true;
        });
    }

    private void reconnect(boolean data) {
        events.write("reconnect", "what", data ? "data" : "account");
        if (data) {
            main.setStatus(connected, false);
            Ui.later(500, () -> main.setStatus(connected, connected));
        } else {
            loseConnection();
            Ui.later(500, this::restoreConnection);
        }
    }

    private void windowClosing() {
        events.write("window-exit", "window", "main");
        if (complete) {
            close("window");
        }
    }

    private void close(String how) {
        if (closing) {
            return;
        }
        closing = true;
        if (scenario.flag("exit.confirm", true)) {
            dialogs.show("exit-confirmation", text -> {
                closing = dialogs.goesOn("exit-confirmation", text);
                if (closing) {
                    shutDown(how);
                }
            });
        } else {
            shutDown(how);
        }
    }

    private void shutDown(String how) {
        dialogs.show("shutdown", text -> { });
        Ui.later(scenario.millis("delay.exit", 0.3), () -> {
            other.gone();
            api.close();
            settings.save();
            end(0, how);
        });
    }

    private void end(int code, String how) {
        ini.save();
        if (ended.compareAndSet(false, true)) {
            events.write("exit", "how", how, "code", code);
        }
        System.exit(code);
    }

    private void openSettings() {
        if (scenario.flag("settings.never", false)) {
            return;
        }
        new SettingsDialog(ui, scenario, dialogs, topWindow(), account, paper, settings, trusted, this::applySettings,
            api::resetOrderIds).show();
    }

    private void applySettings(SettingsDialog changed) {
        settings.apply(changed.values());
        trusted = new ArrayList<>(changed.trusted());
        ini.set("IBGateway", "TrustedIPs", String.join(",", trusted));
        String userDir = ini.get("Logon", "UserNameToDirectory", ",").split(",")[1];
        ini.set("u:" + userDir, "AutoRestart", "Auto restart".equals(settings.get("exitKind")) ? "1" : "0");
        ini.save();
        api.listen(Integer.parseInt(settings.get("socketPort")));
    }

    /** The window that a new dialog belongs over. */
    private Window topWindow() {
        Window top = main != null && main.frame.isVisible() ? main.frame : login.frame;
        for (Window window : Window.getWindows()) {
            if (window instanceof JDialog && window.isShowing() && ((JDialog) window).isModal()) {
                top = window;
            }
        }
        return top;
    }

    // --- commands ------------------------------------------------------------------------------------------------

    /** One line of the command file, on the event thread. */
    private void command(String line) {
        try {
            scenario.reload();
            execute(line);
        } catch (RuntimeException problem) {
            events.write("command-failed", "line", line, "reason", String.valueOf(problem));
        }
    }

    private void execute(String line) {
        String[] words = line.split("\\s+", 2);
        String rest = words.length > 1 ? words[1].trim() : "";
        events.write("command", "line", line);
        switch (words[0]) {
            case "dialog":
                for (String name : rest.split("\\s+")) {
                    showStacked(name, () -> { });
                }
                break;
            case "sequence":
                inSequence(Arrays.asList(rest.split(",")), () -> { });
                break;
            case "dismiss":
                dialogs.dismiss(rest);
                break;
            case "bench":
                String[] numbers = rest.split("\\s+");
                dialogs.bench(Integer.parseInt(numbers[0]), Integer.parseInt(numbers[1]), Arrays.asList(numbers[2].split(",")));
                break;
            case "big-window":
                dialogs.bigWindow(Integer.parseInt(rest));
                break;
            case "block-edt":
                block((long) (1000 * Double.parseDouble(rest)));
                break;
            case "freeze":
                api.silent = true;
                block(Long.MAX_VALUE);
                break;
            case "api-silent":
                api.silent = "on".equals(rest);
                break;
            case "exit":
                if (ended.compareAndSet(false, true)) {
                    events.write("exit", "how", "command", "code", Integer.parseInt(rest));
                }
                Runtime.getRuntime().halt(Integer.parseInt(rest));
                break;
            case "lose-connection":
                loseConnection();
                break;
            case "restore-connection":
                restoreConnection();
                break;
            case "self-restart":
                selfRestart();
                break;
            case "submit":
                String[] form = rest.split("\\s+");
                login.autopilot(form[0], form[1], form[2]);
                break;
            case "log-out":
                backToForm(Events.map("result", "logged-out", "attempt", attempt));
                break;
            case "relogin":
                displaced("relogin");
                break;
            case "other-login":
                other.logsIn();
                break;
            case "other-logout":
                other.logsOut();
                break;
            case "approve":
            case "decline":
                secondFactor.answer("approve".equals(words[0]));
                break;
            case "farms":
                main.setStatus(connected, "on".equals(rest));
                break;
            case "menu-open":
                main.openMenu(rest);
                break;
            case "press":
                main.press(rest);
                break;
            case "locate":
                events.write("located", "components", Events.showing());
                break;
            case "show-login":
                login.frame.setVisible(true);
                break;
            default:
                events.write("command-unknown", "line", line);
        }
    }

    private void block(long millis) {
        events.write("edt-blocked", "millis", millis);
        try {
            Thread.sleep(millis);
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
        events.write("edt-free");
    }

    /** The progress frame, the same object, comes back (guide 2.2, 2.9); the port stays open. */
    private void loseConnection() {
        connected = false;
        reconnectAttempt = 1;
        main.setStatus(false, false);
        welcome.show("Connecting to server...", "Connecting to server", "", 30);
        api.broadcast(1100, "Connectivity between IBKR and Trader Workstation has been lost.");
        reconnecting = new Timer(scenario.millis("delay.reconnectAttempt", 5), event -> {
            reconnectAttempt++;
            welcome.show("Attempt " + reconnectAttempt + ": Authenticating...", "Authenticating", "", 50);
        });
        reconnecting.start();
    }

    private void restoreConnection() {
        if (reconnecting != null) {
            reconnecting.stop();
        }
        connected = true;
        welcome.close();
        main.setStatus(true, true);
        api.broadcast(1102, "Connectivity between IBKR and Trader Workstation has been restored - data maintained.");
    }

    // --- what the API asks, on its threads -----------------------------------------------------------------------

    @Override
    public String account() {
        return account;
    }

    @Override
    public boolean answers() {
        return answering;
    }

    @Override
    public boolean connected() {
        return connected;
    }

    @Override
    public boolean readOnly() {
        return settings.flag("readOnlyApi");
    }

    @Override
    public boolean localhostOnly() {
        return settings.flag("localhostOnly");
    }

    @Override
    public List<String> trusted() {
        return trusted;
    }

    @Override
    public void writeRefused() {
        if (scenario.flag("writeAccess.dialog", true)) {
            SwingUtilities.invokeLater(() -> dialogs.show("write-access", text -> { }));
        }
    }

    @Override
    public boolean foreign(String address) {
        return scenario.list("api.foreign", ",", "").contains(address);
    }

    @Override
    public boolean accepts(String address) {
        if (!scenario.flag("incoming.prompt", true)) {
            return false;
        }
        boolean named = scenario.flag("incoming.address", true);
        return ask("incoming", Collections.singletonMap("text", named
            ? "Accept incoming connection attempt from " + address + "?" : "Accept incoming connection attempt?"));
    }

    @Override
    public boolean orderConfirmed() {
        for (String name : scenario.list("order.dialog", ",", "")) {
            if (!remembered.contains(name) && !ask(name, Dialogs.NOTHING)) {
                return false;
            }
        }
        return true;
    }

    private boolean ask(String name, Map<String, String> fill) {
        AtomicBoolean yes = new AtomicBoolean();
        CountDownLatch answered = new CountDownLatch(1);
        Consumer<Dialogs.Answer> take = answer -> {
            yes.set(dialogs.goesOn(name, answer.button));
            for (String check : answer.checked) {
                if (yes.get() && check.startsWith("Don't display this message again")) {
                    remembered.add(name);
                    events.write("order-remembered", "dialog", name);
                }
            }
            answered.countDown();
        };
        SwingUtilities.invokeLater(() -> dialogs.show(name, fill, take, link -> { }));
        try {
            answered.await();
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
        return yes.get();
    }

    // --- names ---------------------------------------------------------------------------------------------------

    /** 40 lowercase letters made from the user name (guide 1.9). */
    private static String userDirName(String user) {
        String hex = sha256(user).substring(0, 40);
        StringBuilder letters = new StringBuilder();
        for (char digit : hex.toCharArray()) {
            letters.append((char) ('a' + Character.digit(digit, 16)));
        }
        return letters.toString();
    }

    private static String sha256(String text) {
        try {
            StringBuilder hex = new StringBuilder();
            for (byte b : MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8))) {
                hex.append(String.format("%02x", b));
            }
            return hex.toString();
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
