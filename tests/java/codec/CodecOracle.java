// Apache Kafka's own message classes, asked line by line over stdin and stdout by
// tests/codec_oracle.rs. One line in, one line out:
//
//   versions NAME                  LOWEST HIGHEST
//   random NAME VERSION SEED       hexadecimal bytes, as Apache's class writes them
//   rewrite NAME VERSION HEX       what Apache's class writes after reading HEX to its end
//   errors                         CODE:NAME:RETRIABLE, separated by blanks
//   api KEY                        NAME OLDEST LATEST, then REQUEST:RESPONSE header versions
//
// An answer that begins with "error" says what went wrong.

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.CompactArrayOf;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.NullableSchema;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;

public final class CodecOracle {
    private static final String[][] PLACES = {
        {"org.apache.kafka.common.message.", "Data"},
        {"org.apache.kafka.common.message.", ""},
        {"org.apache.kafka.common.metadata.", ""},
        {"org.apache.kafka.coordinator.group.generated.", ""},
        {"org.apache.kafka.coordinator.transaction.generated.", ""},
    };
    private static final String[] LETTERS = {"a", "Z", "0", "-", ".", "\u00df", "\u672c", "\ud83e\udd80"};

    public static void main(String[] arguments) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String answer;
            try {
                answer = answer(line.split(" "));
            } catch (Throwable error) {
                answer = "error " + error.toString().replace('\n', ' ');
            }
            out.println(answer);
            out.flush();
        }
    }

    private static String answer(String[] words) throws Exception {
        switch (words[0]) {
            case "versions": {
                Message message = message(words[1]);
                return message.lowestSupportedVersion() + " " + message.highestSupportedVersion();
            }
            case "random": {
                short version = Short.parseShort(words[2]);
                Message message = message(words[1]);
                Schema schema = (Schema) message.getClass().getField("SCHEMA_" + version).get(null);
                ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                random(schema, new Random(Long.parseLong(words[3])), new DataOutputStream(bytes));
                return rewrite(message, version, bytes.toByteArray());
            }
            case "rewrite": {
                byte[] bytes = HexFormat.of().parseHex(words.length > 3 ? words[3] : "");
                return rewrite(message(words[1]), Short.parseShort(words[2]), bytes);
            }
            case "errors": {
                StringBuilder answer = new StringBuilder();
                for (Errors error : Errors.values()) {
                    boolean retriable = error.exception() instanceof RetriableException;
                    answer.append(error.code()).append(':').append(error.name()).append(':').append(retriable).append(' ');
                }
                return answer.toString().trim();
            }
            case "api": {
                ApiKeys api = ApiKeys.forId(Integer.parseInt(words[1]));
                StringBuilder answer = new StringBuilder(api.name);
                answer.append(' ').append(api.oldestVersion()).append(' ').append(api.latestVersion(false));
                for (short version = api.oldestVersion(); version <= api.latestVersion(false); version++) {
                    answer.append(' ').append(api.requestHeaderVersion(version)).append(':').append(api.responseHeaderVersion(version));
                }
                return answer.toString();
            }
            default:
                return "error unknown question " + words[0];
        }
    }

    private static Message message(String name) throws ReflectiveOperationException {
        for (String[] place : PLACES) {
            try {
                return (Message) Class.forName(place[0] + name + place[1]).getConstructor().newInstance();
            } catch (ClassNotFoundException notHere) {
                // The next place may have it.
            }
        }
        throw new ClassNotFoundException(name);
    }

    private static String rewrite(Message message, short version, byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        message.read(new ByteBufferAccessor(buffer), version);
        if (buffer.hasRemaining()) {
            return "error " + buffer.remaining() + " bytes were left unread";
        }
        ByteBuffer written = MessageUtil.toByteBufferAccessor(message, version).buffer();
        byte[] again = new byte[written.remaining()];
        written.get(again);
        return HexFormat.of().formatHex(again);
    }

    /** Writes a random value of a type, as Apache's schema describes the type. */
    private static void random(Type type, Random random, DataOutputStream out) throws IOException {
        if (type instanceof TaggedFields tagged) {
            randomTagged(tagged, random, out);
        } else if (type instanceof NullableSchema schema) {
            if (random.nextInt(3) == 0) {
                out.writeByte(-1);
            } else {
                out.writeByte(1);
                randomFields(schema, random, out);
            }
        } else if (type instanceof Schema schema) {
            randomFields(schema, random, out);
        } else if (type.isArray()) {
            boolean compact = type instanceof CompactArrayOf;
            if (type.isNullable() && random.nextInt(3) == 0) {
                length(-1, compact, 4, out);
            } else {
                int count = random.nextInt(4);
                length(count, compact, 4, out);
                for (int index = 0; index < count; index++) {
                    random(type.arrayElementType().orElseThrow(), random, out);
                }
            }
        } else {
            randomPrimitive(type, random, out);
        }
    }

    private static void randomFields(Schema schema, Random random, DataOutputStream out) throws IOException {
        for (BoundField field : schema.fields()) {
            random(field.def.type, random, out);
        }
    }

    private static void randomTagged(TaggedFields tagged, Random random, DataOutputStream out) throws IOException {
        Map<Integer, byte[]> values = new TreeMap<>();
        for (Map.Entry<Integer, Field> entry : tagged.fields().entrySet()) {
            if (random.nextBoolean()) {
                ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                DataOutputStream value = new DataOutputStream(bytes);
                if (entry.getValue().type instanceof NullableSchema schema) {
                    // The generated classes read 0 or 1 here, not the -1 of NullableSchema.
                    boolean present = random.nextInt(3) != 0;
                    value.writeByte(present ? 1 : 0);
                    if (present) {
                        randomFields(schema, random, value);
                    }
                } else {
                    random(entry.getValue().type, random, value);
                }
                values.put(entry.getKey(), bytes.toByteArray());
            }
        }
        if (random.nextInt(8) == 0) {
            byte[] unknown = new byte[random.nextInt(200)];
            random.nextBytes(unknown);
            values.put(30 + random.nextInt(100_000), unknown);
        }
        uvarint(values.size(), out);
        for (Map.Entry<Integer, byte[]> entry : values.entrySet()) {
            uvarint(entry.getKey(), out);
            uvarint(entry.getValue().length, out);
            out.write(entry.getValue());
        }
    }

    private static void randomPrimitive(Type type, Random random, DataOutputStream out) throws IOException {
        String name = type.toString();
        boolean compact = name.startsWith("COMPACT_");
        if (type.isNullable() && random.nextInt(3) == 0) {
            length(-1, compact, name.endsWith("STRING") ? 2 : 4, out);
            return;
        }
        long bits = random.nextLong() >> random.nextInt(64);
        switch (name) {
            case "BOOLEAN" -> out.writeByte(random.nextInt(2));
            case "INT8" -> out.writeByte((int) bits);
            case "INT16", "UINT16" -> out.writeShort((int) bits);
            case "INT32", "UINT32" -> out.writeInt((int) bits);
            case "INT64" -> out.writeLong(bits);
            case "FLOAT64" -> out.writeDouble(bits / 8.0);
            case "UUID" -> {
                out.writeLong(random.nextLong());
                out.writeLong(random.nextLong());
            }
            case "STRING", "COMPACT_STRING", "NULLABLE_STRING", "COMPACT_NULLABLE_STRING" -> {
                StringBuilder text = new StringBuilder();
                int count = random.nextInt(50) == 0 ? 200 : random.nextInt(9);
                for (int index = 0; index < count; index++) {
                    text.append(LETTERS[random.nextInt(LETTERS.length)]);
                }
                byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
                length(bytes.length, compact, 2, out);
                out.write(bytes);
            }
            case "BYTES", "COMPACT_BYTES", "NULLABLE_BYTES", "COMPACT_NULLABLE_BYTES",
                 "RECORDS", "COMPACT_RECORDS", "NULLABLE_RECORDS", "COMPACT_NULLABLE_RECORDS" -> {
                byte[] bytes = new byte[random.nextInt(20) == 0 ? 300 : random.nextInt(20)];
                random.nextBytes(bytes);
                length(bytes.length, compact, 4, out);
                out.write(bytes);
            }
            default -> throw new IllegalArgumentException("a type the oracle does not know: " + name);
        }
    }

    /** A length, or -1 for null. */
    private static void length(int length, boolean compact, int bytes, DataOutputStream out) throws IOException {
        if (compact) {
            uvarint(length + 1, out);
        } else if (bytes == 2) {
            out.writeShort(length);
        } else {
            out.writeInt(length);
        }
    }

    private static void uvarint(int value, DataOutputStream out) throws IOException {
        while ((value & ~0x7F) != 0) {
            out.writeByte((value & 0x7F) | 0x80);
            value >>>= 7;
        }
        out.writeByte(value);
    }
}
