import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Properties;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.utils.Exit;

/**
 * A member of a consumer group that tells what it is given: "assigned 0 1" after each rebalance and
 * "record PARTITION OFFSET VALUE" for each record. Arguments: topic, then client properties as key=value.
 */
public final class GroupMember {
    public static void main(String[] args) throws InterruptedException {
        Properties properties = new Properties();
        for (int i = 1; i < args.length; i++) {
            int equals = args[i].indexOf('=');
            properties.put(args[i].substring(0, equals), args[i].substring(equals + 1));
        }
        properties.putIfAbsent("auto.offset.reset", "earliest");
        CountDownLatch closed = new CountDownLatch(1);
        // A wake-up that comes in the middle of a rebalance can get lost inside the consumer; the flag cannot.
        AtomicBoolean stopping = new AtomicBoolean();
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
            Exit.addShutdownHook("group-member", () -> {
                stopping.set(true);
                consumer.wakeup();
                try {
                    closed.await();
                } catch (InterruptedException stopped) {
                    Thread.currentThread().interrupt();
                }
            });
            consumer.subscribe(List.of(args[0]), new Announcer(consumer));
            while (!stopping.get()) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
                    System.out.println("record " + record.partition() + " " + record.offset() + " " + record.value());
                }
            }
        } catch (WakeupException stopped) {
            System.out.println("stopped");
        } finally {
            closed.countDown();
        }
    }

    private record Announcer(KafkaConsumer<String, String> consumer) implements ConsumerRebalanceListener {
        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            System.out.println("revoked " + partitions.size());
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            StringBuilder line = new StringBuilder("assigned");
            TreeSet<Integer> all = new TreeSet<>();
            consumer.assignment().forEach(partition -> all.add(partition.partition()));
            all.forEach(partition -> line.append(' ').append(partition));
            System.out.println(line);
        }
    }
}
