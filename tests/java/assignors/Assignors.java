// Apache's side of tests/assignor_oracle.rs: one group a line on standard input, its assignment as one
// line on standard output.
//
//   asked      uniform 5,3 0,1/0-0,0-1 1/    the assignor; partitions of each topic; then each member: the topics it
//                                            wants, and after the slash what it was to have until now
//   answered   0-0,0-1,1-0 0-2,0-3,0-4,…     by member, sorted

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.coordinator.group.api.assignor.ConsumerGroupPartitionAssignor;
import org.apache.kafka.coordinator.group.api.assignor.SubscribedTopicDescriber;
import org.apache.kafka.coordinator.group.api.assignor.SubscriptionType;
import org.apache.kafka.coordinator.group.assignor.RangeAssignor;
import org.apache.kafka.coordinator.group.assignor.UniformAssignor;
import org.apache.kafka.coordinator.group.modern.Assignment;
import org.apache.kafka.coordinator.group.modern.GroupSpecImpl;
import org.apache.kafka.coordinator.group.modern.MemberSubscriptionAndAssignmentImpl;

public class Assignors {
    public static void main(String[] args) throws Exception {
        var in = new BufferedReader(new InputStreamReader(System.in));
        var out = new PrintStream(System.out, false);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            out.println(answer(line.split(" ")));
        }
        out.flush();
    }

    static Uuid id(int topic) {
        return new Uuid(0, topic + 1);
    }

    static String member(int place) {
        return String.format("member-%03d", place);
    }

    static List<String> list(String text) {
        return text.isEmpty() ? List.of() : List.of(text.split(","));
    }

    static String answer(String[] words) {
        List<Integer> counts = list(words[1]).stream().map(Integer::valueOf).collect(Collectors.toList());
        Map<String, MemberSubscriptionAndAssignmentImpl> members = new HashMap<>();
        Map<Uuid, Map<Integer, String>> inverted = new HashMap<>();
        Set<Set<Uuid>> subscriptions = new HashSet<>();
        int count = words.length - 2;
        for (int place = 0; place < count; place++) {
            String[] halves = words[place + 2].split("/", -1);
            Set<Uuid> wanted = list(halves[0]).stream().map(topic -> id(Integer.parseInt(topic)))
                .collect(Collectors.toSet());
            subscriptions.add(wanted);
            Map<Uuid, Set<Integer>> target = new HashMap<>();
            for (String one : list(halves[1])) {
                String[] parts = one.split("-");
                Uuid topic = id(Integer.parseInt(parts[0]));
                int partition = Integer.parseInt(parts[1]);
                target.computeIfAbsent(topic, key -> new HashSet<>()).add(partition);
                inverted.computeIfAbsent(topic, key -> new HashMap<>()).put(partition, member(place));
            }
            members.put(member(place), new MemberSubscriptionAndAssignmentImpl(
                Optional.empty(), Optional.empty(), wanted, new Assignment(target)));
        }
        SubscriptionType type = subscriptions.size() == 1
            ? SubscriptionType.HOMOGENEOUS : SubscriptionType.HETEROGENEOUS;
        ConsumerGroupPartitionAssignor assignor =
            words[0].equals("uniform") ? new UniformAssignor() : new RangeAssignor();
        var assigned = assignor.assign(new GroupSpecImpl(members, type, inverted), new SubscribedTopicDescriber() {
            @Override
            public int numPartitions(Uuid topic) {
                return counts.get((int) topic.getLeastSignificantBits() - 1);
            }

            @Override
            public Set<String> racksForPartition(Uuid topic, int partition) {
                return Set.of();
            }
        }).members();
        List<String> lines = new ArrayList<>();
        for (int place = 0; place < count; place++) {
            var own = assigned.get(member(place));
            List<String> partitions = new ArrayList<>();
            for (int topic = 0; own != null && topic < counts.size(); topic++) {
                for (int partition : new TreeSet<>(own.partitions().getOrDefault(id(topic), Set.of()))) {
                    partitions.add(topic + "-" + partition);
                }
            }
            lines.add(String.join(",", partitions));
        }
        return String.join(" ", lines);
    }
}
