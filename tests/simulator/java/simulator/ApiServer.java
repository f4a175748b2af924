package simulator;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import javax.swing.SwingUtilities;

/** The API socket (guide 8): listens on all interfaces, a thread per client. */
final class ApiServer {
    private static final int MAX_CLIENTS = 32;

    /** What the API shows of the session, read by the threads of its clients. */
    interface Session {
        String account();

        boolean answers();

        boolean connected();

        boolean readOnly();

        boolean localhostOnly();

        List<String> trusted();

        /** Whether the loopback address is to be taken for one of elsewhere. */
        boolean foreign(String address);

        /** Shows D-WRITEACCESS. */
        void writeRefused();

        /** Asks about a foreign client (D-INCOMING); blocks until answered. */
        boolean accepts(String address);

        /** Shows the dialog that the scenario wants at an order; blocks until answered. */
        boolean orderConfirmed();
    }

    final Session session;
    final Events events;
    private final Supplier<MainWindow> window;
    private final Map<Integer, ApiClient> clients = new LinkedHashMap<>();
    private ServerSocket socket;
    private int nextOrderId = 1;
    private int port;
    volatile boolean silent;

    ApiServer(Session session, Events events, Supplier<MainWindow> window) {
        this.session = session;
        this.events = events;
        this.window = window;
    }

    /** Listens on *wanted* and nowhere else; clients that are connected stay. */
    synchronized void listen(int wanted) {
        if (socket != null && port == wanted) {
            return;
        }
        closeSocket();
        try {
            ServerSocket fresh = new ServerSocket();
            fresh.setReuseAddress(true);
            fresh.bind(new InetSocketAddress("0.0.0.0", wanted), 64);
            socket = fresh;
            port = wanted;
            events.write("api-listen", "port", wanted);
            Thread thread = new Thread(() -> accept(fresh), "JTS-Listen");
            thread.setDaemon(true);
            thread.start();
        } catch (IOException problem) {
            events.write("api-listen-failed", "port", wanted, "reason", String.valueOf(problem.getMessage()));
        }
    }

    private void closeSocket() {
        if (socket != null) {
            try {
                socket.close();
            } catch (IOException problem) {
                System.err.println("api: " + problem);
            }
            socket = null;
        }
    }

    synchronized void close() {
        closeSocket();
        for (ApiClient client : new ArrayList<>(clients.values())) {
            client.close();
        }
    }

    private void accept(ServerSocket from) {
        while (true) {
            Socket client;
            try {
                client = from.accept();
            } catch (IOException closed) {
                return;
            }
            String address = client.getInetAddress().getHostAddress();
            events.write("api-connect", "address", address, "port", client.getPort());
            Thread thread = new Thread(() -> serve(client, address), "JTS-Client");
            thread.setDaemon(true);
            thread.start();
        }
    }

    private void serve(Socket socket, String address) {
        try {
            if (admitted(socket.getInetAddress(), address)) {
                new ApiClient(this, socket, address).run();
            } else {
                events.write("api-refused", "address", address, "reason", "foreign");
            }
        } catch (RuntimeException problem) {
            problem.printStackTrace();
        } finally {
            try {
                socket.close();
            } catch (IOException problem) {
                System.err.println("api: " + problem);
            }
        }
    }

    private boolean admitted(InetAddress from, String address) {
        if (from.isLoopbackAddress() && !session.foreign(address)) {
            return true;
        }
        return !session.localhostOnly() && (session.trusted().contains(address) || session.accepts(address));
    }

    /** False where *id* is in use or all places are taken: such a client is closed at once (guide 8.1). */
    boolean add(int id, ApiClient client, String address) {
        synchronized (this) {
            if (clients.size() >= MAX_CLIENTS) {
                events.write("api-refused", "address", address, "client", id, "reason", "full");
                return false;
            }
            if (clients.containsKey(id)) {
                events.write("api-duplicate-id", "client", id, "address", address);
                return false;
            }
            clients.put(id, client);
        }
        SwingUtilities.invokeLater(() -> window.get().addClient(id));
        return true;
    }

    void remove(int id, ApiClient client) {
        synchronized (this) {
            if (!clients.remove(id, client)) {
                return;
            }
        }
        SwingUtilities.invokeLater(() -> window.get().removeClient(id));
        System.out.println("remove Client " + id);
    }

    void show(int id, String text) {
        SwingUtilities.invokeLater(() -> window.get().clientMessage(id, text));
    }

    synchronized int nextOrderId() {
        return nextOrderId;
    }

    synchronized void orderUsed(int id) {
        nextOrderId = Math.max(nextOrderId, id + 1);
    }

    synchronized void resetOrderIds() {
        nextOrderId = 1;
    }

    /** Tells every client of a system-wide condition (guide 8.5). */
    void broadcast(int code, String text) {
        List<ApiClient> all;
        synchronized (this) {
            all = new ArrayList<>(clients.values());
        }
        for (ApiClient client : all) {
            client.note(-1, code, text);
        }
    }
}
