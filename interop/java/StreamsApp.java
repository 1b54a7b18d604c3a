import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.processor.TimestampExtractor;

/**
 * One instance of a Kafka Streams application whose output shows whether each input counted exactly once. The input is
 * numbers; number n gets the key "k" + n % KEYS and passes a repartition topic. For each input the output topic gets
 * "count KEY: c" with the running count of the key, "window KEY i: c" with the count in the i-th window of 1000 numbers,
 * and "join KEY: n name" with the name that the table topic has for the key. Without a cache every step is written.
 *
 * Prints "state NAME" at each change, "failed REASON" and, at its end, "stopped".
 * Arguments: input, table and output topic, time of number 0 in ms (a multiple of WINDOW_MS), then properties as key=value; "leave=true" makes a
 * member of a classic group leave it at SIGTERM, which Streams otherwise leaves to the session timeout.
 */
public final class StreamsApp {
    private static final int KEYS = 7;
    private static final int STEP_MS = 10;
    private static final int WINDOW_MS = 1000 * STEP_MS;

    /** Number n is of the time base + 10 n, whenever it was written: so windows do not depend on the clock. */
    private record NumberTime(long base) implements TimestampExtractor {
        @Override
        public long extract(ConsumerRecord<Object, Object> record, long partitionTime) {
            return base + STEP_MS * Long.parseLong((String) record.value());
        }
    }

    public static void main(String[] args) throws InterruptedException {
        Properties properties = new Properties();
        properties.put("default.key.serde", Serdes.StringSerde.class);
        properties.put("default.value.serde", Serdes.StringSerde.class);
        properties.put("statestore.cache.max.bytes", "0");
        for (int i = 4; i < args.length; i++) {
            int equals = args[i].indexOf('=');
            properties.put(args[i].substring(0, equals), args[i].substring(equals + 1));
        }
        boolean leaves = "true".equals(properties.remove("leave"));
        StreamsBuilder builder = new StreamsBuilder();
        describe(builder, args, Long.parseLong(args[3]));
        CountDownLatch ended = new CountDownLatch(1);
        KafkaStreams streams = new KafkaStreams(builder.build(), properties);
        streams.setStateListener((current, previous) -> {
            System.out.println("state " + current);
            if (current == KafkaStreams.State.NOT_RUNNING || current == KafkaStreams.State.ERROR) ended.countDown();
        });
        streams.setUncaughtExceptionHandler(failure -> {
            System.out.println("failed " + failure);
            failure.printStackTrace();
            return org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse
                    .SHUTDOWN_CLIENT;
        });
        Exit.addShutdownHook("streams-app", () -> {
            CloseOptions.GroupMembershipOperation operation = leaves
                    ? CloseOptions.GroupMembershipOperation.LEAVE_GROUP
                    : CloseOptions.GroupMembershipOperation.REMAIN_IN_GROUP;
            streams.close(CloseOptions.timeout(Duration.ofSeconds(20)).withGroupMembershipOperation(operation));
            System.out.println("stopped");
        });
        streams.start();
        ended.await();
        streams.close(Duration.ofSeconds(20));
    }

    private static void describe(StreamsBuilder builder, String[] topics, long base) {
        KTable<String, String> names = builder.table(topics[1], Materialized.as("names"));
        KStream<String, String> keyed = builder
                .stream(topics[0], Consumed.<String, String>as("numbers").withTimestampExtractor(new NumberTime(base)))
                .selectKey((key, number) -> "k" + Long.parseLong(number) % KEYS)
                .repartition(Repartitioned.as("by-key"));
        keyed.groupByKey().count(Materialized.as("counts")).toStream()
                .map((key, count) -> KeyValue.pair(key, "count " + key + ": " + count))
                .to(topics[2]);
        keyed.groupByKey()
                .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(WINDOW_MS), Duration.ofDays(1)))
                .count(Materialized.as("windows")).toStream()
                .map((window, count) -> KeyValue.pair(window.key(), "window " + window.key() + " "
                        + (window.window().start() - base) / WINDOW_MS + ": " + count))
                .to(topics[2]);
        keyed.join(names, (number, name) -> number + " " + name)
                .map((key, joined) -> KeyValue.pair(key, "join " + key + ": " + joined))
                .to(topics[2]);
    }
}
