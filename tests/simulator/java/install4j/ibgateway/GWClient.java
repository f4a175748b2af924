package install4j.ibgateway;

/** The main class that install4j's launcher names (guide 1.1). */
public final class GWClient {
    public static void main(String[] args) throws Exception {
        simulator.Gateway.start(args);
    }
}
