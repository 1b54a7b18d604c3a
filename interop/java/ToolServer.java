import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs the main classes of the official tools inside one JVM, because starting a JVM for each call costs more than
 * all the tests together. A call has its own standard streams, exit code and shutdown hooks, so the tools behave as
 * they do from a shell; several calls may run at the same time.
 *
 * POST /run/ID  {"main": class, "args": [...], "stdin": text}: answers with one JSON object a line:
 *               {"out": line} and {"err": line} while the tool prints, {"exit": code} at the end.
 * POST /stop/ID runs the shutdown hooks of that call, which is what SIGTERM does to a tool in its own JVM.
 */
public final class ToolServer {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Map<String, Call> CALLS = new ConcurrentHashMap<>();
    private static final InheritableThreadLocal<Call> CURRENT = new InheritableThreadLocal<>();

    /** Unwinds the tool's main thread where a JVM of its own would have ended. */
    private static final class ToolExit extends Error {
        ToolExit() {
            super("exit", null, false, false);
        }
    }

    /** One run of one tool. */
    private static final class Call {
        final OutputStream response;
        final InputStream stdin;
        private final LineStream outLines = new LineStream(this, "out");
        private final LineStream errLines = new LineStream(this, "err");
        final PrintStream out = new PrintStream(outLines, true, StandardCharsets.UTF_8);
        final PrintStream err = new PrintStream(errLines, true, StandardCharsets.UTF_8);
        private final List<Runnable> hooks = new ArrayList<>();
        private Integer exitCode;
        private boolean isFinished;

        Call(OutputStream response, String stdin) {
            this.response = response;
            this.stdin = new ByteArrayInputStream(stdin.getBytes(StandardCharsets.UTF_8));
        }

        synchronized void exit(int code) {
            if (exitCode == null) exitCode = code;
        }

        synchronized void addHook(Runnable hook) {
            hooks.add(hook);
        }

        /** Each hook runs once, whether the tool ended by itself or was stopped. */
        void runHooks() {
            List<Runnable> due;
            synchronized (this) {
                due = new ArrayList<>(hooks);
                hooks.clear();
            }
            for (Runnable hook : due) {
                try {
                    hook.run();
                } catch (Throwable ignored) {
                    // A hook that fails does not change the exit code of a JVM either.
                }
            }
        }

        /** Sends what the tool printed without a last line end, then the exit code. */
        void finish() {
            out.flush();
            err.flush();
            outLines.finish();
            errLines.finish();
            synchronized (this) {
                send("exit", exitCode);
                // Threads that outlive the tool go on printing: behind the end of an answer that would be no HTTP.
                isFinished = true;
            }
        }

        synchronized void send(String field, Object value) {
            if (isFinished) return;
            ObjectNode event = JSON.createObjectNode();
            event.putPOJO(field, value);
            try {
                response.write((event + "\n").getBytes(StandardCharsets.UTF_8));
                response.flush();
            } catch (IOException gone) {
                // The test went away; the tool ends by its own limits.
            }
        }
    }

    /** Turns bytes into lines, and lines into events of the call. */
    private static final class LineStream extends OutputStream {
        private final Call call;
        private final String field;
        private final ByteArrayOutputStream line = new ByteArrayOutputStream();

        LineStream(Call call, String field) {
            this.call = call;
            this.field = field;
        }

        @Override
        public synchronized void write(int b) {
            if (b != '\n') {
                line.write(b);
                return;
            }
            call.send(field, line.toString(StandardCharsets.UTF_8));
            line.reset();
        }

        synchronized void finish() {
            if (line.size() > 0) write('\n');
        }
    }

    /** Hands what the current thread prints to the call it belongs to. */
    private static final class RoutedStream extends OutputStream {
        private final PrintStream fallback;
        private final boolean error;

        RoutedStream(PrintStream fallback, boolean error) {
            this.fallback = fallback;
            this.error = error;
        }

        private PrintStream target() {
            Call call = CURRENT.get();
            if (call == null) return fallback;
            return error ? call.err : call.out;
        }

        @Override
        public void write(int b) {
            target().write(b);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) {
            target().write(bytes, offset, length);
        }

        @Override
        public void flush() {
            target().flush();
        }
    }

    /** Standard input of the call that the reading thread belongs to. */
    private static final class RoutedInput extends InputStream {
        @Override
        public int read() throws IOException {
            Call call = CURRENT.get();
            return call == null ? -1 : call.stdin.read();
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            Call call = CURRENT.get();
            return call == null ? -1 : call.stdin.read(bytes, offset, length);
        }
    }

    private static void run(HttpExchange exchange) throws IOException {
        JsonNode request = JSON.readTree(exchange.getRequestBody());
        String id = exchange.getRequestURI().getPath().substring("/run/".length());
        exchange.sendResponseHeaders(200, 0);
        Call call = new Call(exchange.getResponseBody(), request.path("stdin").asText(""));
        CALLS.put(id, call);
        List<String> args = new ArrayList<>();
        request.path("args").forEach(arg -> args.add(arg.asText()));
        CURRENT.set(call);
        try {
            Class<?> main = Class.forName(request.get("main").asText());
            invokeMain(main, args.toArray(new String[0]));
            call.exit(0);
        } catch (InvocationTargetException failure) {
            if (!(failure.getCause() instanceof ToolExit)) {
                failure.getCause().printStackTrace(call.err);
                call.exit(1);
            }
        } catch (Throwable failure) {
            failure.printStackTrace(call.err);
            call.exit(1);
        } finally {
            call.runHooks();
            call.finish();
            CURRENT.remove();
            CALLS.remove(id);
            exchange.close();
        }
    }

    /** Official tools count in static fields, so one class runs once at a time; our own programs need no such care. */
    private static void invokeMain(Class<?> main, String[] args) throws ReflectiveOperationException {
        Object lock = main.getPackageName().isEmpty() ? new Object() : main;
        synchronized (lock) {
            main.getMethod("main", String[].class).invoke(null, (Object) args);
        }
    }

    private static void stop(HttpExchange exchange) throws IOException {
        Call call = CALLS.get(exchange.getRequestURI().getPath().substring("/stop/".length()));
        if (call != null) call.runHooks();
        exchange.sendResponseHeaders(call == null ? 404 : 200, -1);
        exchange.close();
    }

    public static void main(String[] args) throws IOException {
        System.setOut(new PrintStream(new RoutedStream(System.out, false), true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(new RoutedStream(System.err, true), true, StandardCharsets.UTF_8));
        PrintStream plainOut = System.out;
        System.setIn(new RoutedInput());
        Exit.Procedure exit = (code, message) -> {
            Call call = CURRENT.get();
            if (call != null) call.exit(code);
            throw new ToolExit();
        };
        Exit.setExitProcedure(exit);
        Exit.setHaltProcedure(exit);
        Exit.setShutdownHookAdder((name, hook) -> {
            Call call = CURRENT.get();
            if (call != null) call.addHook(hook);
        });
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 64);
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/run/", ToolServer::run);
        server.createContext("/stop/", ToolServer::stop);
        server.start();
        plainOut.println("listening on " + server.getAddress().getPort());
        // The parent closes our standard input when it ends, however it ends.
        Thread watcher = new Thread(ToolServer::endWithParent);
        watcher.setDaemon(true);
        watcher.start();
    }

    private static void endWithParent() {
        try {
            while (new java.io.FileInputStream(java.io.FileDescriptor.in).read() >= 0) { }
        } catch (IOException closed) {
            // The same as the end of the stream.
        }
        Runtime.getRuntime().halt(0);
    }
}
