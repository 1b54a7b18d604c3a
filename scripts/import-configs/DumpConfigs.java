import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.ConfigKey;
import org.apache.kafka.coordinator.group.GroupConfig;
import org.apache.kafka.server.config.ConfigSynonym;
import org.apache.kafka.server.config.DynamicBrokerConfig;
import org.apache.kafka.server.config.ServerTopicConfigSynonyms;
import org.apache.kafka.server.metrics.ClientMetricsConfigs;
import org.apache.kafka.storage.internals.log.LogConfig;

/**
 * Prints what the official jars on the class path declare about configuration keys, as one JSON document: names, types,
 * defaults, validators, importance, dynamic scope and synonyms. Facts only; documentation texts are left out on purpose.
 */
public final class DumpConfigs {
    private static final StringBuilder OUT = new StringBuilder();

    public static void main(String[] args) throws Exception {
        Map<String, String> updateModes = DynamicBrokerConfig.dynamicConfigUpdateModes();
        OUT.append("{\"broker\":[");
        separated(new TreeMap<>(kafka.server.KafkaConfig.configDef().configKeys()).values(), key -> {
            List<String> synonyms = DynamicBrokerConfig.brokerConfigSynonyms(key.name, true);
            writeKey(key, updateModes.getOrDefault(key.name, "read-only"), synonyms.size() > 1 ? synonyms : List.of());
        });
        OUT.append("],\"topic\":[");
        separated(new TreeMap<>(LogConfig.configKeys()).values(), key -> {
            List<String> chain = new ArrayList<>();
            List<ConfigSynonym> synonyms = ServerTopicConfigSynonyms.ALL_TOPIC_CONFIG_SYNONYMS.get(key.name);
            if (synonyms != null) for (ConfigSynonym synonym : synonyms) chain.add(synonym.name());
            writeKey(key, "topic", chain);
        });
        OUT.append("],\"topicServerSynonym\":");
        writeMap(new TreeMap<>(ServerTopicConfigSynonyms.TOPIC_CONFIG_SYNONYMS));
        OUT.append(",\"group\":[");
        separated(new TreeMap<>(GroupConfig.CONFIG_DEF.configKeys()).values(), key ->
            writeKey(key, "group", GroupConfig.brokerSynonym(key.name).map(List::of).orElse(List.of())));
        OUT.append("],\"clientMetrics\":[");
        separated(new TreeMap<>(ClientMetricsConfigs.configDef().configKeys()).values(), key ->
            writeKey(key, "client-metrics", List.of()));
        OUT.append("],\"securityReconfigurable\":");
        writeStrings(new TreeSet<>(DynamicBrokerConfig.DYNAMIC_SECURITY_CONFIGS));
        OUT.append('}');
        System.out.println(OUT);
    }

    private interface Writer<T> {
        void write(T value) throws Exception;
    }

    private static <T> void separated(Collection<T> values, Writer<T> writer) throws Exception {
        boolean first = true;
        for (T value : values) {
            if (!first) OUT.append(",\n");
            first = false;
            writer.write(value);
        }
    }

    private static void writeKey(ConfigKey key, String scope, List<String> synonyms) throws Exception {
        OUT.append("{\"name\":");
        string(key.name);
        OUT.append(",\"type\":\"").append(key.type).append("\",\"default\":");
        if (!key.hasDefault()) OUT.append("null,\"required\":true");
        else if (key.defaultValue == null) OUT.append("null");
        else string(ConfigDef.convertToString(key.defaultValue, key.type));
        OUT.append(",\"importance\":\"").append(key.importance).append("\",\"internal\":").append(key.internalConfig);
        OUT.append(",\"scope\":");
        string(scope);
        OUT.append(",\"synonyms\":");
        writeStrings(synonyms);
        OUT.append(",\"validator\":");
        writeValidator(key.validator);
        OUT.append('}');
    }

    /** A validator as its class, its printed form, and the fields of the well-known classes. */
    private static void writeValidator(ConfigDef.Validator validator) throws Exception {
        if (validator == null) {
            OUT.append("null");
            return;
        }
        OUT.append("{\"class\":");
        string(validator.getClass().getName());
        OUT.append(",\"text\":");
        string(validator.toString().replaceAll("@[0-9a-f]{5,}", ""));
        for (Field field : validator.getClass().getDeclaredFields()) {
            if (java.lang.reflect.Modifier.isStatic(field.getModifiers())) continue;
            field.setAccessible(true);
            Object value = field.get(validator);
            OUT.append(',');
            string(field.getName());
            OUT.append(':');
            if (value == null) OUT.append("null");
            else if (value instanceof ConfigDef.Validator) writeValidator((ConfigDef.Validator) value);
            else if (value instanceof Collection && anyValidator((Collection<?>) value)) {
                OUT.append('[');
                separated((Collection<?>) value, inner -> writeValidator((ConfigDef.Validator) inner));
                OUT.append(']');
            } else if (value instanceof Collection) {
                List<String> texts = new ArrayList<>();
                for (Object item : (Collection<?>) value) texts.add(String.valueOf(item));
                writeStrings(texts);
            } else if (value instanceof Number || value instanceof Boolean || value instanceof String) string(value.toString());
            else string(value.getClass().getName());
        }
        OUT.append('}');
    }

    private static boolean anyValidator(Collection<?> values) {
        return values.stream().anyMatch(value -> value instanceof ConfigDef.Validator);
    }

    private static void writeStrings(Collection<String> values) throws Exception {
        OUT.append('[');
        separated(values, DumpConfigs::string);
        OUT.append(']');
    }

    private static void writeMap(Map<String, String> values) throws Exception {
        OUT.append('{');
        separated(values.entrySet(), entry -> {
            string(entry.getKey());
            OUT.append(':');
            string(entry.getValue());
        });
        OUT.append('}');
    }

    private static void string(String text) {
        OUT.append('"');
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') OUT.append('\\').append(c);
            else if (c < 32 || c > 126) OUT.append(String.format("\\u%04x", (int) c));
            else OUT.append(c);
        }
        OUT.append('"');
    }
}
