import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs many of Apache Kafka's command-line tools in one JVM, as starting it costs more than most of
 * them: reads [{"tool": CLASS, "arguments": [...], "stdin": TEXT}] from one file and writes
 * [{"code": N, "stdout": TEXT, "stderr": TEXT}] to another.
 */
public final class Tools {
    /** Thrown where a tool would end the JVM. */
    private static final class Ended extends Error {
        private static final long serialVersionUID = 1;
        private final int code;

        private Ended(int code) {
            super("exit " + code);
            this.code = code;
        }
    }

    public static void main(String[] arguments) throws Exception {
        // A tool may catch what its own exit threw, and exit again: the first word counts.
        Ended[] first = new Ended[1];
        Exit.Procedure ends = (code, message) -> {
            if (first[0] == null) {
                first[0] = new Ended(code);
            }
            throw first[0];
        };
        Exit.setExitProcedure(ends);
        Exit.setHaltProcedure(ends);

        ObjectMapper json = new ObjectMapper();
        PrintStream stdout = System.out;
        PrintStream stderr = System.err;
        InputStream stdin = System.in;
        List<Map<String, Object>> results = new ArrayList<>();
        for (JsonNode call : json.readTree(new File(arguments[0]))) {
            first[0] = null;
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
            System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
            System.setIn(new ByteArrayInputStream(call.get("stdin").asText().getBytes(StandardCharsets.UTF_8)));
            int code = run(call);
            System.setOut(stdout);
            System.setErr(stderr);
            System.setIn(stdin);
            results.add(Map.of(
                "code", first[0] == null ? code : first[0].code,
                "stdout", out.toString(StandardCharsets.UTF_8),
                "stderr", err.toString(StandardCharsets.UTF_8)));
        }
        json.writeValue(new File(arguments[1]), results);
        // Tools leave threads and hooks behind that would keep this process.
        Runtime.getRuntime().halt(0);
    }

    private static int run(JsonNode call) throws Exception {
        List<String> words = new ArrayList<>();
        call.get("arguments").forEach(word -> words.add(word.asText()));
        try {
            Class.forName(call.get("tool").asText()).getMethod("main", String[].class)
                .invoke(null, (Object) words.toArray(new String[0]));
            return 0;
        } catch (InvocationTargetException thrown) {
            if (!(thrown.getCause() instanceof Ended)) {
                thrown.getCause().printStackTrace(System.err);
            }
            return 1;
        }
    }
}
