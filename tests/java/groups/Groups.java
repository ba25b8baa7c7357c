// What the Java client can do to groups beyond being a member: run as one source file by
// tests/broker/group_clients.rs.
//
//   BOOTSTRAP pattern GROUP EXPRESSION   a member of a KIP-848 group that subscribes by a SubscriptionPattern, which
//                                        the broker resolves; it says what tests/broker/member.rs says
//   BOOTSTRAP remove GROUP [INSTANCE …]  an administrator takes members out: these static ones, or all
//   BOOTSTRAP offsets GROUP …            what is committed: all topics of all these groups, asked at once

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Scanner;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;

public final class Groups {
    public static void main(String[] arguments) throws Exception {
        List<String> words = List.of(arguments);
        String bootstrap = words.get(0);
        List<String> rest = words.subList(2, words.size());
        switch (words.get(1)) {
            case "pattern" -> pattern(bootstrap, rest.get(0), rest.get(1));
            case "remove" -> remove(bootstrap, rest.get(0), rest.subList(1, rest.size()));
            case "offsets" -> offsets(bootstrap, rest);
            default -> throw new IllegalArgumentException(words.get(1));
        }
    }

    static void remove(String bootstrap, String group, List<String> instances) throws Exception {
        var options = instances.isEmpty()
            ? new RemoveMembersFromConsumerGroupOptions()
            : new RemoveMembersFromConsumerGroupOptions(
                instances.stream().map(MemberToRemove::new).collect(Collectors.toList()));
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.removeMembersFromConsumerGroup(group, options).all().get();
        }
        System.out.println("removed");
    }

    static void offsets(String bootstrap, List<String> groups) throws Exception {
        Map<String, ListConsumerGroupOffsetsSpec> specs = new HashMap<>();
        groups.forEach(group -> specs.put(group, new ListConsumerGroupOffsetsSpec()));
        TreeSet<String> lines = new TreeSet<>();
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.listConsumerGroupOffsets(specs).all().get().forEach((group, offsets) ->
                offsets.forEach((partition, offset) ->
                    lines.add(group + " " + partition + " " + offset.offset() + " " + offset.metadata())));
        }
        lines.forEach(System.out::println);
    }

    static void pattern(String bootstrap, String group, String expression) {
        Map<String, Object> settings = Map.of(
            "bootstrap.servers", bootstrap,
            "group.id", group,
            "group.protocol", "consumer",
            "auto.offset.reset", "earliest",
            "enable.auto.commit", "false");
        var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
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
        // Of several topics: that one loses its partition 0 leaves the others theirs.
        Set<TopicPartition> owned = new HashSet<>();
        Runnable say = () -> System.out.println("assigned " + owned.stream()
            .map(TopicPartition::partition).distinct().sorted().map(String::valueOf).collect(Collectors.joining(",")));
        consumer.subscribe(new SubscriptionPattern(expression), new ConsumerRebalanceListener() {
            @Override
            public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                owned.addAll(partitions);
                say.run();
            }

            @Override
            public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                partitions.forEach(owned::remove);
                say.run();
            }
        });
        try {
            while (true) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
                    TopicPartition partition = new TopicPartition(record.topic(), record.partition());
                    try {
                        consumer.commitSync(Map.of(partition, new OffsetAndMetadata(record.offset() + 1)));
                    } catch (WakeupException closing) {
                        throw closing;
                    } catch (KafkaException rebalanced) {
                        continue; // whoever has the partition now reads it again
                    }
                    System.out.printf("record %d %d %s%n", record.partition(), record.offset(), record.value());
                }
            }
        } catch (WakeupException closing) {
            consumer.close();
        }
    }
}
