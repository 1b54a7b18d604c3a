import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.utils.Exit;

/**
 * A member of a share group that treats each record as its value says and tells of it: "record OFFSET DELIVERY VALUE",
 * then "accept", "release" (at its first delivery), "reject" or "renew" with the offset; "committed" when the broker has
 * confirmed. Arguments: topic, then client properties as key=value.
 */
public final class ShareMember {
    private static final Set<Long> renewed = new HashSet<>();

    public static void main(String[] args) throws InterruptedException {
        Properties properties = new Properties();
        for (int i = 1; i < args.length; i++) {
            int equals = args[i].indexOf('=');
            properties.put(args[i].substring(0, equals), args[i].substring(equals + 1));
        }
        boolean isExplicit = "explicit".equals(properties.get("share.acknowledgement.mode"));
        CountDownLatch closed = new CountDownLatch(1);
        AtomicBoolean stopping = new AtomicBoolean();
        try (KafkaShareConsumer<String, String> consumer =
                new KafkaShareConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
            Exit.addShutdownHook("share-member", () -> {
                stopping.set(true);
                consumer.wakeup();
                try {
                    closed.await();
                } catch (InterruptedException stopped) {
                    Thread.currentThread().interrupt();
                }
            });
            consumer.subscribe(List.of(args[0]));
            while (!stopping.get()) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(500))) {
                    short delivery = record.deliveryCount().orElse((short) 0);
                    System.out.println("record " + record.offset() + " " + delivery + " " + record.value());
                    if (isExplicit) {
                        acknowledge(consumer, record, delivery);
                    }
                }
                commit(consumer);
            }
        } catch (WakeupException stopped) {
            System.out.println("stopped");
        } finally {
            closed.countDown();
        }
    }

    private static void acknowledge(
            KafkaShareConsumer<String, String> consumer, ConsumerRecord<String, String> record, short delivery) {
        AcknowledgeType type = AcknowledgeType.ACCEPT;
        if (record.value().startsWith("reject")) {
            type = AcknowledgeType.REJECT;
        } else if (record.value().startsWith("release") && delivery == 1) {
            type = AcknowledgeType.RELEASE;
        }
        // A renewed record comes back with the next poll, to be finished then.
        if (record.value().startsWith("renew") && renewed.add(record.offset())) {
            type = AcknowledgeType.RENEW;
        }
        consumer.acknowledge(record, type);
        System.out.println(type.toString() + " " + record.offset());
    }

    private static void commit(KafkaShareConsumer<String, String> consumer) {
        consumer.commitSync().forEach((partition, error) ->
                System.out.println("committed " + error.map(KafkaException::toString).orElse("ok")));
    }
}
