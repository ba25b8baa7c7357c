import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Apache's consumer without a group: reads every partition of a topic from its beginning, begins
 * again at the end, and after the time given says how many bytes it read.
 *
 * <pre>AssignConsumer BOOTSTRAP TOPIC PARTITIONS SECONDS</pre>
 */
public final class AssignConsumer {
    private AssignConsumer() {}

    public static void main(String[] arguments) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", arguments[0]);
        properties.put("key.deserializer", ByteArrayDeserializer.class.getName());
        properties.put("value.deserializer", ByteArrayDeserializer.class.getName());
        properties.put("enable.auto.commit", "false");
        properties.put("check.crcs", "true");
        String topic = arguments[1];
        List<TopicPartition> partitions = new ArrayList<>();
        for (int index = 0; index < Integer.parseInt(arguments[2]); index++) {
            partitions.add(new TopicPartition(topic, index));
        }
        long nanosToRead = Math.round(Double.parseDouble(arguments[3]) * 1e9);
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(properties)) {
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            long bytes = 0;
            long records = 0;
            long first = 0;
            long now = 0;
            // Nothing at all in this time is a failure, not a slow broker.
            long giveUp = System.nanoTime() + nanosToRead + 30_000_000_000L;
            while (System.nanoTime() < giveUp) {
                ConsumerRecords<byte[], byte[]> polled = consumer.poll(Duration.ofMillis(200));
                now = System.nanoTime();
                if (first == 0 && !polled.isEmpty()) {
                    first = now;
                }
                for (ConsumerRecord<byte[], byte[]> record : polled) {
                    bytes += Math.max(0, record.serializedKeySize());
                    bytes += Math.max(0, record.serializedValueSize());
                }
                records += polled.count();
                for (TopicPartition partition : polled.partitions()) {
                    if (consumer.position(partition) >= ends.get(partition)) {
                        consumer.seekToBeginning(List.of(partition));
                    }
                }
                if (first != 0 && now - first >= nanosToRead) {
                    break;
                }
            }
            System.out.printf("bytes=%d records=%d seconds=%.6f%n", bytes, records, (now - first) / 1e9);
        }
    }
}
