import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Scanner;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;

/** The Java client as a member of a group. The contract stands in tests/broker/member.rs. */
public final class Member implements ConsumerRebalanceListener {
    private final TreeSet<Integer> owned = new TreeSet<>();

    public static void main(String[] arguments) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", arguments[0]);
        settings.put("group.id", arguments[1]);
        settings.put("auto.offset.reset", "earliest");
        settings.put("enable.auto.commit", "false");
        settings.put("reconnect.backoff.max.ms", "500");
        for (int at = 3; at < arguments.length; at++) {
            String[] pair = arguments[at].split("=", 2);
            settings.put(pair[0], pair[1]);
        }
        KafkaConsumer<String, String> consumer =
            new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
        Thread listener = new Thread(() -> {
            Scanner lines = new Scanner(System.in);
            while (lines.hasNextLine()) {
                if (lines.nextLine().equals("close")) {
                    consumer.wakeup();
                }
            }
        });
        listener.setDaemon(true);
        listener.start();
        consumer.subscribe(List.of(arguments[2]), new Member());
        try {
            while (true) {
                ConsumerRecords<String, String> polled = consumer.poll(Duration.ofMillis(100));
                for (TopicPartition partition : polled.partitions()) {
                    takeIn(consumer, partition, polled.records(partition));
                }
            }
        } catch (WakeupException closing) {
            consumer.close();
        }
    }

    /** Commits each record, and prints it once it is committed. */
    private static void takeIn(
        KafkaConsumer<String, String> consumer,
        TopicPartition partition,
        List<ConsumerRecord<String, String>> records
    ) {
        for (ConsumerRecord<String, String> record : records) {
            try {
                consumer.commitSync(Map.of(partition, new OffsetAndMetadata(record.offset() + 1)));
            } catch (WakeupException closing) {
                throw closing;
            } catch (KafkaException rebalanced) {
                System.out.printf("complaint %s-%d: %s%n", partition, record.offset(), rebalanced);
                // Whoever has the partition now reads it again. In a cooperative group that may be
                // this member: it keeps its partitions through a rebalance, and reads on in it.
                if (consumer.assignment().contains(partition)) {
                    consumer.seek(partition, record.offset());
                }
                return;
            }
            System.out.printf("record %d %d %s%n", record.partition(), record.offset(), record.value());
        }
    }

    private void say() {
        System.out.println("assigned " + owned.stream().map(String::valueOf).collect(Collectors.joining(",")));
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        partitions.forEach(partition -> owned.add(partition.partition()));
        say();
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        partitions.forEach(partition -> owned.remove(partition.partition()));
        say();
    }
}
