package simulator;

import java.awt.Window;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
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
    private int attempt;
    /** Who is logged in. */
    private LoginFrame.Login session;
    /** The steps of a login by token, where one is under way. */
    private List<String> resumed;
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
        new Commands(settingsDir, this::command).start();
        events.watchComponents();
        ui = new Ui(scenario.text("classes", "10.50"), "os".equals(scenario.text("titlebar", "")), events);
        api = new ApiServer(this, events, () -> main);
        SwingUtilities.invokeLater(() -> {
            dialogs = new Dialogs(ui, scenario, events, this::topWindow, this::command);
            Ui.later(scenario.millis("delay.start", 0), this::showLogin);
        });
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
        File token = new File(new File(settingsDir, System.getProperty("restart", "?")), "autorestart");
        if (token.isFile()) {
            resume(token);
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

    private void submitted(LoginFrame.Login form) {
        scenario.reload();
        attempt++;
        String digest = sha256(new String(form.password));
        events.write("login", "user", form.user, "mode", form.mode, "tab", form.tab, "password_length",
            form.password.length, "password_sha256", digest, "region", form.region, "time_zone", form.timeZone,
            "attempt", attempt);
        boolean right = matches("login.user", form.user) && matches("login.password", new String(form.password));
        paper = "paper".equals(form.mode);
        account = scenario.text("account", paper ? "DU1234567" : "U1234567");
        login.setBusy(true, "connecting to server (trying for another 30 seconds)");
        boolean fix = "FIX CTCI".equals(form.tab);
        Ui.later(scenario.millis("delay.welcome", 0.15), () -> loading(form, right, fix));
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
        resumed = Arrays.asList(valid ? "ok" : scenario.text("restart.dialog", "token"));
        Ui.later(scenario.millis("delay.welcome", 0.15), () -> loading(form, true, "FIX CTCI".equals(form.tab)));
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

    private void loading(LoginFrame.Login form, boolean right, boolean fix) {
        String user = "Logging in " + form.user;
        welcome.show("Loading...", "Requesting startup parameters..", user, 10);
        Ui.later(scenario.millis("delay.loading", 0.1), () -> {
            if (!fix) {
                welcome.show("Connecting to server...", "Connecting to server", user, 30);
            }
            log.line("Connecting to gdc1.ibllc.com:4001");
            Ui.later(scenario.millis("delay.connecting", 0.1), () -> authenticating(form, user, right, fix));
        });
    }

    private void authenticating(LoginFrame.Login form, String user, boolean right, boolean fix) {
        login.frame.setVisible(scenario.flag("login.stays", false));
        if (main == null) {
            // Its object and its menus exist before authentication ends (guide 2.3).
            main = new MainWindow(ui, scenario, ini, this::menu, this::windowClosing);
        }
        main.frame.setVisible(true);
        if (!fix) {
            welcome.show("Authenticating...", "Authenticating", user, 50);
        }
        noise();
        log.line("Authenticating");
        log.line("AuthTimeoutMonitor-CCP: activate");
        List<String> outcomes = scenario.list("login.outcomes", ",", "ok");
        String outcome = outcomes.get(Math.max(0, Math.min(attempt, outcomes.size()) - 1)).trim();
        List<String> steps = Arrays.asList((right ? outcome : scenario.text("login.wrong", "login-failed")).split("\\+"));
        List<String> planned = resumed == null ? steps : resumed;
        resumed = null;
        if (!"silent".equals(planned.get(0))) {
            Ui.later(200, () -> log.line("NS_AUTH_START"));
        }
        Ui.later(scenario.millis("delay.authenticating", 0.1), () -> outcome(form, user, fix, planned));
    }

    /** Its stderr is voluminous, and whoever starts it must drain that (guide 1.11): more than a pipe holds. */
    private void noise() {
        for (int written = 0; written < scenario.number("noise", 96) * 1024; written += 100) {
            System.err.println("WARN  jts.g.h.a - no handler for field 8" + String.format("%059d", written));
        }
    }

    /** Goes through the steps of an attempt: `ok`, `retry`, `silent`, or the name of a dialog. */
    private void outcome(LoginFrame.Login form, String user, boolean fix, List<String> steps) {
        String step = steps.isEmpty() ? "ok" : steps.get(0);
        List<String> rest = steps.isEmpty() ? steps : steps.subList(1, steps.size());
        switch (step) {
            case "ok":
                initializing(form, user, fix);
                break;
            case "retry":
                welcome.show("Attempt 2: server error, will retry in seconds...", "Server error", user, 50);
                Ui.later(scenario.millis("delay.retry", 0.5), () -> {
                    welcome.show("Attempt 2: Authenticating...", "Authenticating", user, 55);
                    outcome(form, user, fix, rest);
                });
                break;
            case "silent":
                Ui.later(scenario.millis("silent.timeout", 20), () -> {
                    log.line("AuthTimeoutMonitor-CCP: Timeout!");
                    refused("silent", scenario.text("silent.dialog", "server-disconnected"));
                });
                break;
            default:
                if (scenario.text("dialog." + step + ".go", "").isEmpty()) {
                    refused(step, step);
                    break;
                }
                dialogs.show(step, text -> {
                    if (dialogs.goesOn(step, text)) {
                        outcome(form, user, fix, rest);
                    } else {
                        refused(step, "");
                    }
                });
        }
    }

    /** Back to the form, with *dialog* over it. */
    private void refused(String result, String dialog) {
        events.write("login-result", "result", result, "attempt", attempt);
        welcome.close();
        main.frame.setVisible(false);
        login.setBusy(false, "");
        if (scenario.flag("login.clearAfterFailure", true)) {
            login.clear();
        }
        login.frame.setVisible(true);
        if (!dialog.isEmpty()) {
            dialogs.show(dialog, text -> { });
        }
    }

    private void initializing(LoginFrame.Login form, String user, boolean fix) {
        session = form;
        events.write("login-result", "result", "ok", "attempt", attempt);
        File userDir = new File(settingsDir, userDirName(form.user));
        if (!userDir.isDirectory() && !userDir.mkdirs()) {
            System.err.println("cannot create " + userDir);
        }
        settings = new Settings(userDir, paper, scenario, events);
        rememberLogin(form, userDir.getName());
        connected = true;
        main.setStatus(true, false);
        main.message("Build " + version);
        if (!fix) {
            welcome.show("Initializing environment...", "Initializing", user, 70);
        }
        boolean early = paper && scenario.flag("paper.early", false);
        Ui.later(scenario.millis("delay.initializing", 0.1), () -> {
            if (!fix) {
                welcome.show("Starting application...", "Starting", user, 90);
            }
            if (early) {
                showPaperWarning();
            }
            Ui.later(scenario.millis("delay.starting", 0.1), () -> loginComplete(fix, early));
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
        welcome.close();
        complete = true;
        main.setStatus(true, true);
        main.frame.toFront();
        log.line("autoRestartType=" + ("Auto restart".equals(settings.get("exitKind")) ? "DAILY" : "NONE"));
        events.write("login-complete");
        if (fix) {
            main.setFixMode();
        }
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
        dialogs.show(names.get(0).trim(), text -> inSequence(names.subList(1, names.size()), after));
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
                    dialogs.show(name, text -> { });
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
    public boolean accepts(String address) {
        return ask("incoming");
    }

    @Override
    public boolean orderConfirmed() {
        String name = scenario.text("order.dialog", "");
        return name.isEmpty() || ask(name);
    }

    private boolean ask(String name) {
        AtomicBoolean yes = new AtomicBoolean();
        CountDownLatch answered = new CountDownLatch(1);
        Consumer<String> take = text -> {
            yes.set(dialogs.goesOn(name, text));
            answered.countDown();
        };
        SwingUtilities.invokeLater(() -> dialogs.show(name, take));
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
