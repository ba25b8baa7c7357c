import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.PropertyAccessor;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The Java client: writes and reads a plan (see tests/broker/plan.rs), and reports what each fault answers. */
public final class Client {
    private static final class Report {
        final Map<String, List<Long>> acked = new TreeMap<>();
        final Map<String, List<Map<String, Object>>> read = new TreeMap<>();
        final Map<String, Long> outcomes = new TreeMap<>();
    }

    private final JsonNode plan;
    private final Report report = new Report();

    private Client(JsonNode plan) {
        this.plan = plan;
    }

    public static void main(String[] arguments) throws Exception {
        ObjectMapper json = new ObjectMapper()
            .setVisibility(PropertyAccessor.FIELD, JsonAutoDetect.Visibility.ANY);
        Client client = new Client(json.readTree(new File(arguments[1])));
        switch (arguments[0]) {
            case "produce" -> client.produce();
            case "read" -> client.read();
            case "round-trip" -> {
                client.produce();
                client.read();
            }
            case "faults" -> client.faults();
            default -> throw new IllegalArgumentException("no verb " + arguments[0]);
        }
        json.writeValue(new File(arguments[2]), client.report);
        System.out.printf("java %s: %d topics written, %d read, %d outcomes%n", arguments[0],
            client.report.acked.size(), client.report.read.size(), client.report.outcomes.size());
    }

    private Map<String, Object> bootstrap() {
        return new HashMap<>(Map.of("bootstrap.servers", plan.get("bootstrap").asText()));
    }

    private static byte[] unhex(JsonNode digits) {
        return digits.isNull() ? null : HexFormat.of().parseHex(digits.asText());
    }

    private static String hex(byte[] bytes) {
        return bytes == null ? null : HexFormat.of().formatHex(bytes);
    }

    private static void create(Admin admin, JsonNode topic) throws Exception {
        Map<String, String> configs = new HashMap<>();
        for (Map.Entry<String, JsonNode> config : topic.get("configs").properties()) {
            configs.put(config.getKey(), config.getValue().asText());
        }
        NewTopic wanted = new NewTopic(topic.get("name").asText(), topic.get("partitions").asInt(), (short) 1);
        admin.createTopics(List.of(wanted.configs(configs))).all().get();
    }

    /** A producer with the defaults of its version (idempotent, acks=all) unless the topic says otherwise. */
    private KafkaProducer<byte[], byte[]> producer(JsonNode topic) {
        Map<String, Object> settings = bootstrap();
        settings.put("compression.type", topic.get("codec").asText());
        settings.put("max.block.ms", "3000");
        if (!topic.get("idempotent").asBoolean()) {
            settings.put("acks", topic.get("acks").asText());
            settings.put("enable.idempotence", "false");
            settings.put("max.in.flight.requests.per.connection", "1");
        }
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private void produce() throws Exception {
        try (Admin admin = Admin.create(bootstrap())) {
            for (JsonNode topic : plan.get("topics")) {
                create(admin, topic);
            }
        }
        for (JsonNode topic : plan.get("topics")) {
            List<Long> acked = new ArrayList<>();
            try (KafkaProducer<byte[], byte[]> producer = producer(topic)) {
                List<Future<RecordMetadata>> sent = new ArrayList<>();
                for (JsonNode record : topic.get("records")) {
                    List<Header> headers = new ArrayList<>();
                    for (JsonNode pair : record.get("headers")) {
                        headers.add(new RecordHeader(pair.get(0).asText(), unhex(pair.get(1))));
                    }
                    sent.add(producer.send(new ProducerRecord<>(topic.get("name").asText(),
                        record.get("partition").asInt(), record.get("timestamp").asLong(),
                        unhex(record.get("key")), unhex(record.get("value")), headers)));
                }
                for (Future<RecordMetadata> answer : sent) {
                    RecordMetadata metadata = answer.get();
                    acked.add(metadata.hasOffset() ? metadata.offset() : null);
                }
            }
            report.acked.put(topic.get("name").asText(), acked);
        }
    }

    private KafkaConsumer<byte[], byte[]> consumer() {
        Map<String, Object> settings = bootstrap();
        settings.put("auto.offset.reset", "none");
        settings.put("enable.auto.commit", "false");
        settings.put("max.partition.fetch.bytes", plan.get("fetch_bytes").asInt());
        return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private void read() {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
            for (JsonNode topic : plan.get("topics")) {
                List<TopicPartition> partitions = new ArrayList<>();
                for (int index = 0; index < topic.get("partitions").asInt(); index++) {
                    partitions.add(new TopicPartition(topic.get("name").asText(), index));
                }
                consumer.assign(partitions);
                consumer.seekToBeginning(partitions);
                List<Map<String, Object>> seen = new ArrayList<>();
                for (int tries = 0; tries < 60 && seen.size() < topic.get("records").size(); tries++) {
                    for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
                        seen.add(row(record));
                    }
                }
                report.read.put(topic.get("name").asText(), seen);
            }
        }
    }

    private static Map<String, Object> row(ConsumerRecord<byte[], byte[]> record) {
        Map<String, Object> row = new HashMap<>();
        row.put("partition", record.partition());
        row.put("offset", record.offset());
        row.put("timestamp", record.timestamp());
        row.put("key", hex(record.key()));
        row.put("value", hex(record.value()));
        List<Object> headers = new ArrayList<>();
        for (Header header : record.headers()) {
            List<String> pair = new ArrayList<>();
            pair.add(header.key());
            pair.add(hex(header.value()));
            headers.add(pair);
        }
        row.put("headers", headers);
        return row;
    }

    /** Kafka's code for what the future is refused with, or 0. */
    private static long code(Future<?> future) throws Exception {
        try {
            future.get();
            return 0;
        } catch (ExecutionException refusal) {
            if (refusal.getCause() instanceof ApiException told) {
                return codeOf(told);
            }
            throw refusal;
        }
    }

    private static long codeOf(ApiException told) {
        // The producer says so when a topic does not appear for as long as it may block.
        boolean waitedInVain = told instanceof TimeoutException && told.getMessage().contains("not present in metadata");
        return Errors.forException(waitedInVain ? new UnknownTopicOrPartitionException() : told).code();
    }

    private void faults() throws Exception {
        Map<String, Long> said = report.outcomes;
        JsonNode topic = plan.get("topics").get(0);
        String name = topic.get("name").asText();
        String missing = plan.get("missing").asText();
        TopicPartition first = new TopicPartition(name, 0);
        try (Admin admin = Admin.create(bootstrap())) {
            create(admin, topic);
            said.put("create an existing topic", make(admin, name, 1));
            said.put("create a topic with a bad name", make(admin, "no/slash", 1));
            said.put("create a topic with 3 replicas", make(admin, name + "-3", 3));

            try (KafkaProducer<byte[], byte[]> producer = producer(topic)) {
                said.put("produce to an unknown topic", code(producer.send(new ProducerRecord<>(missing, new byte[1]))));
                said.put("produce a record that is too large",
                    code(producer.send(new ProducerRecord<>(name, 0, null, new byte[10_000]))));
            }
            try (KafkaProducer<byte[], byte[]> producer = producer(topic)) {
                for (long index = 0; index < 10; index++) {
                    producer.send(new ProducerRecord<>(name, 0, 1_000_000 + index * 1000, null, new byte[1])).get();
                }
            }

            said.put("offset, earliest", offset(admin, first, OffsetSpec.earliest()));
            said.put("offset, latest", offset(admin, first, OffsetSpec.latest()));
            said.put("offset at a time", offset(admin, first, OffsetSpec.forTimestamp(1_004_500)));
            said.put("offset at the largest time", offset(admin, first, OffsetSpec.maxTimestamp()));
            said.put("offset after all times", offset(admin, first, OffsetSpec.forTimestamp(9_000_000)));

            try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
                consumer.assign(List.of(first));
                consumer.seek(first, 4711);
                for (int tries = 0; tries < 30 && !said.containsKey("fetch beyond the end"); tries++) {
                    consumer.poll(Duration.ofSeconds(1));
                }
            } catch (OffsetOutOfRangeException told) {
                said.put("fetch beyond the end", (long) Errors.OFFSET_OUT_OF_RANGE.code());
            }

            said.put("create partitions", code(admin.createPartitions(Map.of(name, NewPartitions.increaseTo(4))).all()));
            said.put("create fewer partitions", code(admin.createPartitions(Map.of(name, NewPartitions.increaseTo(2))).all()));
            said.put("partitions", settled(4, () ->
                (long) admin.describeTopics(List.of(name)).allTopicNames().get().get(name).partitions().size()));

            said.put("alter a config", alter(admin, name, "777000"));
            ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, name);
            said.put("retention.ms", Long.valueOf(admin.describeConfigs(List.of(resource)).all().get()
                .get(resource).get("retention.ms").value()));
            said.put("alter a config to nonsense", alter(admin, name, "soon"));

            said.put("delete records", admin.deleteRecords(Map.of(first, RecordsToDelete.beforeOffset(4)))
                .lowWatermarks().get(first).get().lowWatermark());
            said.put("offset, earliest, after deleting records", offset(admin, first, OffsetSpec.earliest()));

            said.put("delete an unknown topic", code(admin.deleteTopics(List.of(missing)).all()));
            said.put("delete a topic", code(admin.deleteTopics(List.of(name)).all()));
            said.put("the deleted topic is listed", settled(0, () ->
                admin.listTopics().names().get().contains(name) ? 1L : 0L));
        }
    }

    private static long make(Admin admin, String name, int replicas) throws Exception {
        return code(admin.createTopics(List.of(new NewTopic(name, 1, (short) replicas))).all());
    }

    private static long alter(Admin admin, String name, String retention) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, name);
        AlterConfigOp set = new AlterConfigOp(new ConfigEntry("retention.ms", retention), AlterConfigOp.OpType.SET);
        return code(admin.incrementalAlterConfigs(Map.of(resource, List.of(set))).all());
    }

    private static long offset(Admin admin, TopicPartition partition, OffsetSpec spec) throws Exception {
        return admin.listOffsets(Map.of(partition, spec)).partitionResult(partition).get().offset();
    }

    /** What look says once it says wanted, or at last: metadata reaches a broker a moment later. */
    private static long settled(long wanted, Callable<Long> look) throws Exception {
        long seen = look.call();
        for (int tries = 0; tries < 600 && seen != wanted; tries++) {
            Thread.sleep(50);
            seen = look.call();
        }
        return seen;
    }
}
