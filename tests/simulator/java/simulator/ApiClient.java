package simulator;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.text.SimpleDateFormat;
import java.util.Arrays;
import java.util.Date;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** One API client in the classic protocol, server version up to 178 (guide 8.2). */
final class ApiClient {
    private static final int SERVER_VERSION = 178;
    private static final Pattern VERSIONS = Pattern.compile("v(\\d+)(?:\\.\\.(\\d+))?(?: .*)?");
    private static final int LONGEST_FRAME = 1 << 20;

    private final ApiServer server;
    private final Socket socket;
    private final String address;
    private DataInputStream in;
    private DataOutputStream out;
    private int version;
    private int id = Integer.MIN_VALUE;

    ApiClient(ApiServer server, Socket socket, String address) {
        this.server = server;
        this.socket = socket;
        this.address = address;
    }

    void run() {
        boolean greeted = false;
        try {
            socket.setTcpNoDelay(true);
            in = new DataInputStream(socket.getInputStream());
            out = new DataOutputStream(socket.getOutputStream());
            byte[] greeting = new byte[4];
            in.readFully(greeting);
            greeted = true;
            if (!"API\0".equals(new String(greeting, StandardCharsets.ISO_8859_1))) {
                server.events.write("api-foreign-protocol", "address", address);
                return;
            }
            if (handshake()) {
                while (true) {
                    handle(readFrame());
                }
            }
        } catch (EOFException end) {
            if (!greeted) {
                server.events.write("api-bare-connect", "address", address, "port", socket.getPort());
            }
        } catch (IOException broken) {
            if (!greeted) {
                server.events.write("api-bare-connect", "address", address, "port", socket.getPort());
            }
        } finally {
            if (id != Integer.MIN_VALUE) {
                server.remove(id, this);
                server.events.write("api-disconnect", "client", id, "address", address);
            }
        }
    }

    void close() {
        try {
            socket.close();
        } catch (IOException problem) {
            System.err.println("api: " + problem);
        }
    }

    private String[] readFrame() throws IOException {
        int length = in.readInt();
        if (length < 0 || length > LONGEST_FRAME) {
            throw new IOException("a frame of " + length + " bytes");
        }
        byte[] payload = new byte[length];
        in.readFully(payload);
        waitUntilAnswering();
        return new String(payload, StandardCharsets.UTF_8).split("\0", -1);
    }

    /** In paper mode nothing is answered before the warning is accepted; a frozen gateway answers nothing at all. */
    private void waitUntilAnswering() throws IOException {
        while (!server.session.answers() || server.silent) {
            try {
                Thread.sleep(20);
            } catch (InterruptedException stop) {
                throw new IOException(stop);
            }
        }
    }

    private boolean handshake() throws IOException {
        Matcher range = VERSIONS.matcher(readFrame()[0]);
        if (!range.matches()) {
            return false;
        }
        int newest = Integer.parseInt(range.group(2) == null ? range.group(1) : range.group(2));
        version = Math.min(SERVER_VERSION, newest);
        if (version < Integer.parseInt(range.group(1))) {
            return false;
        }
        send(version, new SimpleDateFormat("yyyyMMdd HH:mm:ss z").format(new Date()));
        String[] start = readFrame();
        if (!"71".equals(start[0])) {
            return false;
        }
        int wanted = Integer.parseInt(start[2]);
        if (!server.add(wanted, this, address)) {
            // Closed at once; the client hears 326 where it still listens (guide 8.1, 8.5).
            note(-1, 326, "Unable to connect as the client id is already in use. Retry with a unique client id.");
            return false;
        }
        id = wanted;
        server.events.write("api-handshake", "client", id, "address", address, "version", version);
        send(15, 1, server.session.account());
        send(9, 1, server.nextOrderId());
        if (server.session.connected()) {
            note(-1, 2104, "Market data farm connection is OK:usfarm");
            note(-1, 2106, "HMDS data farm connection is OK:ushmds");
            note(-1, 2158, "Sec-def data farm connection is OK:secdefnj");
        } else {
            note(-1, 1100, "Connectivity between IBKR and Trader Workstation has been lost.");
        }
        return true;
    }

    private void handle(String[] fields) throws IOException {
        server.show(id, "<- " + fields[0]);
        server.events.write("api-request", "client", id, "message", fields[0]);
        switch (fields[0]) {
            case "3":
                placeOrder(fields);
                break;
            case "4":
                if (mayWrite(Integer.parseInt(fields[2]))) {
                    int order = Integer.parseInt(fields[2]);
                    send(3, order, "Cancelled", 0, 0, 0, 0, 0, 0, id, "", 0);
                }
                break;
            case "5":
            case "15":
            case "16":
                if (mayWrite(-1) && !"15".equals(fields[0])) {
                    send(53, 1);
                }
                break;
            case "99":
                if (mayWrite(-1)) {
                    send(102);
                }
                break;
            case "6":
                accountUpdates(fields);
                break;
            case "7":
                send(55, 1, fields[2]);
                break;
            case "8":
                send(9, 1, server.nextOrderId());
                break;
            case "17":
                send(15, 1, server.session.account());
                break;
            case "49":
                send(49, 1, System.currentTimeMillis() / 1000);
                break;
            case "61":
                send(61, 3, server.session.account(), 0, "SIM", "STK", "", 0, "", "", "SMART", "USD", "SIM", "SIM", 10, 100.0);
                send(62, 1);
                break;
            case "62":
                send(63, 1, fields[2], server.session.account(), "NetLiquidation", "100000.00", "USD");
                send(64, 1, fields[2]);
                break;
            case "76":
                send(73, 1, fields[2], fields[3], fields[4], "NetLiquidation", "100000.00", "USD");
                send(74, 1, fields[2]);
                break;
            default:
                // Subscriptions and cancellations without an answer of interest here.
        }
    }

    private void accountUpdates(String[] fields) throws IOException {
        if (!"1".equals(fields[2])) {
            return;
        }
        String account = fields[3].isEmpty() ? server.session.account() : fields[3];
        send(6, 2, "NetLiquidation", "100000.00", "USD", account);
        send(6, 2, "AccountReady", "true", "", account);
        send(8, 1, new SimpleDateFormat("HH:mm").format(new Date()));
        send(54, 1, account);
    }

    private void placeOrder(String[] fields) throws IOException {
        int order = Integer.parseInt(fields[1]);
        if (!mayWrite(order)) {
            return;
        }
        server.orderUsed(order);
        server.events.write("api-order", "client", id, "order", order);
        if (server.session.orderConfirmed()) {
            send(3, order, "Submitted", 0, 0, 0, order, 0, 0, id, "", 0);
        } else {
            note(order, 201, "Order rejected - reason: not confirmed");
        }
    }

    private boolean mayWrite(int request) {
        if (!server.session.readOnly()) {
            return true;
        }
        note(request, 321, "Error validating request.-'bN' : cause - The API interface is currently in Read-Only mode.");
        server.events.write("api-write-refused", "client", id, "request", request);
        server.session.writeRefused();
        return false;
    }

    void note(int request, int code, String text) {
        try {
            if (version >= 166) {
                send(4, 2, request, code, text, "");
            } else {
                send(4, 2, request, code, text);
            }
        } catch (IOException gone) {
            close();
        }
    }

    private synchronized void send(Object... fields) throws IOException {
        ByteArrayOutputStream payload = new ByteArrayOutputStream();
        for (Object field : fields) {
            payload.write(String.valueOf(field).getBytes(StandardCharsets.UTF_8));
            payload.write(0);
        }
        byte[] bytes = payload.toByteArray();
        byte[] frame = new byte[bytes.length + 4];
        System.arraycopy(bytes, 0, frame, 4, bytes.length);
        for (int i = 0; i < 4; i++) {
            frame[i] = (byte) (bytes.length >>> (24 - 8 * i));
        }
        out.write(frame);
        out.flush();
        if (id != Integer.MIN_VALUE) {
            server.show(id, "-> " + Arrays.toString(fields));
        }
    }
}
