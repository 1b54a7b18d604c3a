import java.util.Properties;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.Exit;

/**
 * Writes numbered values with an idempotent producer until it is stopped, and prints "acked PARTITION OFFSET NUMBER"
 * for each acknowledgement and "failed NUMBER reason" for each refusal. Records of number n go to partition
 * n % PARTITIONS, so that the order within a partition is known.
 * Arguments: topic, number of partitions, then client properties as key=value; "records" (how many to write) and
 * "rate" (per second) are the writer's own.
 */
public final class AckedWriter {
    public static void main(String[] args) throws InterruptedException {
        Properties properties = new Properties();
        for (int i = 2; i < args.length; i++) {
            int equals = args[i].indexOf('=');
            properties.put(args[i].substring(0, equals), args[i].substring(equals + 1));
        }
        int records = Integer.parseInt((String) properties.getOrDefault("records", "" + Integer.MAX_VALUE));
        int pauseMs = 100_000 / Integer.parseInt((String) properties.getOrDefault("rate", "50000"));
        properties.remove("records");
        properties.remove("rate");
        int partitions = Integer.parseInt(args[1]);
        AtomicBoolean stop = new AtomicBoolean();
        AtomicInteger inFlight = new AtomicInteger();
        Exit.addShutdownHook("acked-writer", () -> stop.set(true));
        try (KafkaProducer<String, String> producer =
                new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer())) {
            for (int number = 0; number < records && !stop.get(); number++) {
                int current = number;
                while (inFlight.get() > 2000 && !stop.get()) Thread.sleep(1);
                inFlight.incrementAndGet();
                producer.send(new ProducerRecord<>(args[0], number % partitions, null, Integer.toString(number)),
                    (metadata, error) -> {
                        inFlight.decrementAndGet();
                        if (error == null) {
                            System.out.println("acked " + metadata.partition() + " " + metadata.offset() + " " + current);
                        } else {
                            System.out.println("failed " + current + " " + error);
                        }
                    });
                if (number % 100 == 99) Thread.sleep(pauseMs);
            }
            producer.flush();
        }
        System.out.println("stopped");
    }
}
