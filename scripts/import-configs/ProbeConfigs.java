import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.coordinator.group.GroupConfig;
import org.apache.kafka.storage.internals.log.LogConfig;

/**
 * Fills the third column of a table of config values with what the official classes on the class path say: `ok VALUE`
 * or the message. A row is `kind TAB key=value;key=value TAB outcome`; the kinds `broker-value`, `topic-value` and
 * `group-value` parse one key alone, `broker`, `topic` and `group` check a whole configuration.
 *
 *     java -cp 'JARS/*' scripts/import-configs/ProbeConfigs.java packages/broker/test/config/golden/validation-kafka-4.3.1.tsv
 */
public final class ProbeConfigs {
    private static final String BASE = "process.roles=broker,controller;node.id=1;controller.quorum.voters=1@127.0.0.1:9093;"
        + "listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093;controller.listener.names=CONTROLLER";

    public static void main(String[] args) throws Exception {
        Path table = Path.of(args[0]);
        List<String> lines = new ArrayList<>();
        for (String line : Files.readAllLines(table)) {
            String[] columns = line.split("\t", -1);
            lines.add(columns[0] + "\t" + columns[1] + "\t" + outcome(columns[0], columns[1]));
        }
        Files.writeString(table, String.join("\n", lines) + "\n");
    }

    private static String outcome(String kind, String text) {
        try {
            Map<String, String> configs = parse(text);
            switch (kind) {
                case "broker-value": return value(kafka.server.KafkaConfig.configDef(), configs);
                case "topic-value": return value(LogConfig.configDefCopy(), configs);
                case "group-value": return value(GroupConfig.CONFIG_DEF, configs);
                case "broker": broker(text); break;
                case "topic": LogConfig.validate(Map.of(), configs, broker("").extractLogConfigMap(), false); break;
                case "group":
                    GroupConfig.validate(configs, broker("").groupCoordinatorConfig(), broker("").shareGroupConfig());
                    break;
                default: throw new IllegalArgumentException("Unknown kind " + kind);
            }
            return "ok";
        } catch (Exception e) {
            return e.getMessage();
        }
    }

    private static String value(ConfigDef definition, Map<String, String> configs) {
        Map.Entry<String, String> only = configs.entrySet().iterator().next();
        ConfigDef single = new ConfigDef().define(definition.configKeys().get(only.getKey()));
        Object parsed = single.parse(configs).get(only.getKey());
        return "ok " + ConfigDef.convertToString(parsed, definition.configKeys().get(only.getKey()).type);
    }

    private static kafka.server.KafkaConfig broker(String text) {
        Map<String, String> configs = parse(BASE);
        configs.putAll(parse(text));
        return new kafka.server.KafkaConfig(configs, false);
    }

    private static Map<String, String> parse(String text) {
        Map<String, String> configs = new LinkedHashMap<>();
        for (String entry : text.split(";")) {
            int equals = entry.indexOf('=');
            if (equals > 0) configs.put(entry.substring(0, equals), entry.substring(equals + 1));
        }
        return configs;
    }
}
