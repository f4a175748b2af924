package simulator;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;

/** One user's settings, kept unreadably in <userdir>/ibg.xml (guide 1.9). */
final class Settings {
    private static final byte[] MAGIC = "IBGZENC".getBytes(StandardCharsets.US_ASCII);

    /** Precautions of guide 6.5; "bypass1" is the first of them. */
    static final String[] PRECAUTIONS = {
        "Bypass Order Precautions for API Orders", "Bypass Bond warning for API Orders.",
        "Bypass negative yield to worst confirmation for API Orders.", "Bypass Called Bond warning for API Orders",
        "Bypass \"same action pair trade\" warning for API orders.",
        "Bypass price-based volatility risk warning for API Orders.",
        "Bypass US Stocks market data in shares warning for API Orders",
        "Bypass Redirect Order warning for Stock API Orders",
        "Bypass No Overfill Protection precaution for destinations where implied natively.",
        "Bypass Route Marketable to BBO warning for API orders.",
    };

    private final Map<String, String> values = new LinkedHashMap<>();
    private final File file;
    private final Events events;

    Settings(File userDir, boolean paper, Scenario scenario, Events events) {
        this.file = new File(userDir, "ibg.xml");
        this.events = events;
        String[][] defaults = {
            {"socketPort", paper ? "4002" : "4001"}, {"readOnlyApi", "true"}, {"totalQuantityMonetary", "false"},
            {"downloadOpenOrders", "true"}, {"includeFxPositions", "true"}, {"prepareDailyPnL", "true"},
            {"encoding", "ASCII 7 (Python, Java, .NET)"}, {"negativeAutoRange", "true"}, {"apiLogFile", "false"},
            {"apiLogMarketData", "false"}, {"loggingLevel", "Error"}, {"masterClientId", ""},
            {"marketDataInLots", "false"}, {"accountGroups", "false"}, {"resubmitOrders", "true"},
            {"maintainConnection", "true"}, {"localhostOnly", "true"}, {"memory", "768"},
            {"exitTime", "11:45"}, {"exitHalf", "PM"}, {"exitKind", "Auto logoff"}, {"instantMessages", "true"},
            {"presetSize", "100"}, {"defaultOrderType", "LMT"},
        };
        for (String[] entry : defaults) {
            values.put(entry[0], scenario.text("profile." + entry[0], entry[1]));
        }
        for (int i = 1; i <= PRECAUTIONS.length; i++) {
            values.put("bypass" + i, scenario.text("profile.bypass" + i, "false"));
        }
        load();
    }

    String get(String key) {
        return values.get(key);
    }

    boolean flag(String key) {
        return Boolean.parseBoolean(values.get(key));
    }

    Map<String, String> copy() {
        return new LinkedHashMap<>(values);
    }

    /** Takes over *changed*, tells what differs, and saves. */
    void apply(Map<String, String> changed) {
        for (Map.Entry<String, String> entry : changed.entrySet()) {
            String old = values.put(entry.getKey(), entry.getValue());
            if (!entry.getValue().equals(old)) {
                events.write("setting", "key", entry.getKey(), "old", old, "new", entry.getValue());
            }
        }
        save();
    }

    void save() {
        Properties properties = new Properties();
        properties.putAll(values);
        ByteArrayOutputStream plain = new ByteArrayOutputStream();
        File beside = new File(file.getParentFile(), "ibg.tmp.xml");
        try {
            properties.store(plain, null);
            ByteArrayOutputStream sealed = new ByteArrayOutputStream();
            sealed.write(MAGIC);
            sealed.write(scramble(plain.toByteArray()));
            file.getParentFile().mkdirs();
            Files.write(beside.toPath(), sealed.toByteArray());
            Files.move(beside.toPath(), file.toPath(), StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException problem) {
            System.err.println("settings not saved: " + problem);
        }
    }

    private void load() {
        if (!file.isFile()) {
            return;
        }
        try {
            byte[] sealed = Files.readAllBytes(file.toPath());
            Properties properties = new Properties();
            properties.load(new ByteArrayInputStream(scramble(Arrays.copyOfRange(sealed, MAGIC.length, sealed.length))));
            for (String key : values.keySet().toArray(new String[0])) {
                values.put(key, properties.getProperty(key, values.get(key)));
            }
        } catch (IOException problem) {
            System.err.println("settings not read: " + problem);
        }
    }

    /** Its own inverse. Not secret, only unreadable: nobody shall prepare settings offline. */
    private static byte[] scramble(byte[] bytes) {
        byte[] result = bytes.clone();
        int key = 0x5a;
        for (int i = 0; i < result.length; i++) {
            key = (key * 73 + 41) & 0xff;
            result[i] ^= (byte) (key | 0x80);
        }
        return result;
    }
}
