import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.clients.consumer.StickyAssignor;
import org.apache.kafka.clients.consumer.internals.AbstractPartitionAssignor;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;

/**
 * Runs Kafka's own assignors. Each line of the input is a case: {"assignor", "topics": {name: [[rack...] per partition]},
 * "members": [{"memberId", "groupInstanceId", "topics", "userData" (base64), "owned": [[topic, partition]], "generation",
 * "rack"}]}; each line of the output is its assignment: {member: [[topic, partition]...]},
 * or {"failure"} where Kafka's class fails: the sticky ones do when a previous owner is out of the game.
 */
public final class Assignors {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws IOException {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            JsonNode test = JSON.readTree(line);
            Map<String, Subscription> members = new HashMap<>();
            for (JsonNode member : test.path("members")) {
                members.put(member.path("memberId").asText(), subscription(member));
            }
            Map<String, List<PartitionInfo>> topics = new HashMap<>();
            test.path("topics").fields().forEachRemaining(
                    topic -> topics.put(topic.getKey(), partitions(topic.getKey(), topic.getValue())));
            Map<String, List<TopicPartition>> assignment;
            try {
                assignment = assignor(test.path("assignor").asText()).assignPartitions(topics, members);
            } catch (RuntimeException ownFailure) {
                System.out.println("{\"failure\": \"" + ownFailure.getClass().getSimpleName() + "\"}");
                continue;
            }
            ObjectNode output = JSON.createObjectNode();
            assignment.forEach((member, partitions) -> {
                ArrayNode list = output.putArray(member);
                partitions.forEach(each -> list.addArray().add(each.topic()).add(each.partition()));
            });
            System.out.println(output);
        }
    }

    private static AbstractPartitionAssignor assignor(String name) {
        return switch (name) {
            case "range" -> new RangeAssignor();
            case "roundrobin" -> new RoundRobinAssignor();
            case "sticky" -> new StickyAssignor();
            default -> new CooperativeStickyAssignor();
        };
    }

    private static Subscription subscription(JsonNode member) {
        List<String> topics = new ArrayList<>();
        member.path("topics").forEach(topic -> topics.add(topic.asText()));
        List<TopicPartition> owned = new ArrayList<>();
        member.path("owned").forEach(
                each -> owned.add(new TopicPartition(each.get(0).asText(), each.get(1).asInt())));
        ByteBuffer userData = member.path("userData").isTextual()
                ? ByteBuffer.wrap(Base64.getDecoder().decode(member.path("userData").asText()))
                : null;
        Subscription subscription = new Subscription(topics, userData, owned,
                member.path("generation").asInt(-1), Optional.ofNullable(member.path("rack").textValue()));
        subscription.setGroupInstanceId(Optional.ofNullable(member.path("groupInstanceId").textValue()));
        return subscription;
    }

    private static List<PartitionInfo> partitions(String topic, JsonNode racksByPartition) {
        List<PartitionInfo> partitions = new ArrayList<>();
        for (JsonNode racks : racksByPartition) {
            List<Node> replicas = new ArrayList<>();
            for (JsonNode rack : racks) {
                replicas.add(new Node(replicas.size(), "host", 9092, rack.asText()));
            }
            Node[] nodes = replicas.isEmpty() ? new Node[] {Node.noNode()} : replicas.toArray(new Node[0]);
            partitions.add(new PartitionInfo(topic, partitions.size(), nodes[0], nodes, nodes));
        }
        return partitions;
    }
}
