import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;

/**
 * Random instances of every message that Kafka's jars hold, at every version, as its own classes encode and print them. Arguments:
 * a seed, how many of each, and the jars. A line of the output is {"message", "version", "hex", "json"}.
 */
public final class MessageVectors {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long MAX_SAFE = (1L << 53) - 1;
    private static final String[] STRINGS = {"", "a", "topic-1", "été-中文-🚀", "x".repeat(127), "y".repeat(128), "z".repeat(300)};

    private final Random random;

    private MessageVectors(Random random) {
        this.random = random;
    }

    public static void main(String[] args) throws Exception {
        long seed = Long.parseLong(args[0]);
        int count = Integer.parseInt(args[1]);
        TreeMap<String, Class<?>> converters = new TreeMap<>();
        for (int i = 2; i < args.length; i++) addConverters(Path.of(args[i]), converters);
        StringBuilder output = new StringBuilder();
        for (Map.Entry<String, Class<?>> entry : converters.entrySet()) {
            String name = entry.getKey();
            Class<?> type = messageClass(entry.getValue());
            // Not the same values for every message, and for one message the same whatever others there are.
            MessageVectors vectors = new MessageVectors(new Random(seed * 1_000_003 + name.hashCode()));
            Message sample = (Message) type.getConstructor().newInstance();
            Method write = entry.getValue().getMethod("write", type, short.class);
            Schema[] schemas = (Schema[]) type.getField("SCHEMAS").get(null);
            for (short version = sample.lowestSupportedVersion(); version <= sample.highestSupportedVersion(); version++) {
                for (int i = 0; i < count; i++) {
                    Message message = (Message) type.getConstructor().newInstance();
                    vectors.fill(message, schemas[version], i == 0 ? 0 : 3);
                    ObjectNode vector = JSON.createObjectNode();
                    vector.put("message", name);
                    vector.put("version", version);
                    vector.put("hex", hex(message, version));
                    vector.set("json", shown((JsonNode) write.invoke(null, message, version)));
                    output.append(vector).append('\n');
                }
            }
        }
        System.out.print(output);
    }

    /** Every `XJsonConverter` of a jar, by the name of its message. */
    private static void addConverters(Path jar, Map<String, Class<?>> found) throws Exception {
        String suffix = "JsonConverter.class";
        try (FileSystem files = FileSystems.newFileSystem(jar); Stream<Path> paths = Files.walk(files.getPath("/"))) {
            for (Path path : (Iterable<Path>) paths.filter(each -> each.toString().endsWith(suffix))::iterator) {
                String file = path.toString();
                Class<?> converter = Class.forName(file.substring(1, file.length() - ".class".length()).replace('/', '.'));
                Class<?> type = messageClass(converter);
                if (type == null || type.getEnclosingClass() != null) continue;
                String name = path.getFileName().toString();
                found.put(name.substring(0, name.length() - suffix.length()).replaceFirst("(Request|Response)Data$", "$1"), converter);
            }
        }
    }

    /** The class whose instances a converter writes; null where it writes none. */
    private static Class<?> messageClass(Class<?> converter) {
        for (Method method : converter.getMethods()) {
            if (method.getName().equals("write") && method.getParameterCount() == 2) return method.getParameterTypes()[0];
        }
        return null;
    }

    private static String hex(Message message, short version) {
        ByteBuffer bytes = MessageUtil.toByteBufferAccessor(message, version).buffer();
        byte[] copy = new byte[bytes.remaining()];
        bytes.get(copy);
        return HexFormat.of().formatHex(copy);
    }

    /** With integers that a double cannot hold as text. */
    private static JsonNode shown(JsonNode node) {
        boolean isSafe = Math.max(node.longValue(), -1 - node.longValue()) <= MAX_SAFE;
        if (node.isIntegralNumber() && !isSafe) return TextNode.valueOf(node.asText());
        if (node instanceof ArrayNode array) {
            for (int i = 0; i < array.size(); i++) array.set(i, shown(array.get(i)));
        }
        if (node instanceof ObjectNode object) {
            List<String> names = new ArrayList<>();
            object.fieldNames().forEachRemaining(names::add);
            for (String name : names) object.set(name, shown(object.get(name)));
        }
        return node;
    }

    /** Gives the fields that the version has random values; arrays have up to `most` elements. */
    private void fill(Object message, Schema schema, int most) throws Exception {
        Map<String, org.apache.kafka.common.protocol.types.Type> types = new HashMap<>();
        for (BoundField field : schema.fields()) {
            if (field.def.type instanceof TaggedFields tagged) {
                tagged.fields().values().forEach(each -> types.put(each.name, each.type));
            } else {
                types.put(field.def.name, field.def.type);
            }
        }
        for (Field field : message.getClass().getDeclaredFields()) {
            if (Modifier.isStatic(field.getModifiers())) continue;
            org.apache.kafka.common.protocol.types.Type type = types.remove(snakeCase(field.getName()));
            if (type == null) continue;
            field.setAccessible(true);
            field.set(message, value(field.getGenericType(), type, most));
        }
        if (!types.isEmpty()) throw new IllegalStateException(message.getClass() + " has no fields " + types.keySet());
    }

    private Object value(Type javaType, org.apache.kafka.common.protocol.types.Type type, int most) throws Exception {
        if (type.isNullable() && random.nextInt(4) == 0) return null;
        Class<?> raw = (Class<?>) (javaType instanceof ParameterizedType parameterized ? parameterized.getRawType() : javaType);
        if (raw == boolean.class) return random.nextBoolean();
        if (raw == byte.class) return (byte) integer(8);
        if (raw == short.class) return (short) integer(16);
        // An unsigned int16 is kept in an int.
        if (raw == int.class) return type.toString().equals("UINT16") ? (int) (integer(16) & 0xffff) : (int) integer(32);
        if (raw == long.class) return type.toString().equals("UINT32") ? integer(32) & 0xffffffffL : longValue();
        if (raw == double.class) return random.nextInt(3) == 0 ? (double) random.nextInt(100) : random.nextGaussian() * 1e9;
        if (raw == Uuid.class) return random.nextInt(4) == 0 ? Uuid.ZERO_UUID : new Uuid(random.nextLong(), random.nextLong());
        if (raw == String.class) return STRINGS[random.nextInt(STRINGS.length)];
        if (raw == byte[].class) return bytes();
        if (raw == ByteBuffer.class) return ByteBuffer.wrap(bytes());
        if (raw == BaseRecords.class) return MemoryRecords.readableRecords(ByteBuffer.wrap(bytes()));
        if (Collection.class.isAssignableFrom(raw)) return collection(javaType, raw, type, most);
        Object struct = raw.getDeclaredConstructor().newInstance();
        fill(struct, (Schema) type, most);
        return struct;
    }

    @SuppressWarnings("unchecked")
    private Object collection(Type javaType, Class<?> raw, org.apache.kafka.common.protocol.types.Type type, int most)
            throws Exception {
        Type elementType = ((ParameterizedType) (raw == List.class ? javaType : raw.getGenericSuperclass())).getActualTypeArguments()[0];
        Collection<Object> elements = raw == List.class ? new ArrayList<>() : (Collection<Object>) raw.getDeclaredConstructor().newInstance();
        int size = random.nextInt(most + 1);
        for (int i = 0; i < size; i++) {
            // One that is there already under its key is left out by the collection itself.
            elements.add(unboxed(elementType, type.arrayElementType().get(), most - 1));
        }
        return elements;
    }

    private Object unboxed(Type elementType, org.apache.kafka.common.protocol.types.Type type, int most) throws Exception {
        if (elementType == Byte.class) return value(byte.class, type, most);
        if (elementType == Short.class) return value(short.class, type, most);
        if (elementType == Integer.class) return value(int.class, type, most);
        if (elementType == Long.class) return value(long.class, type, most);
        return value(elementType, type, Math.max(most, 0));
    }

    /** The ends and the middle of a signed integer's range more often than they would come by chance. */
    private long integer(int bits) {
        long max = (1L << (bits - 1)) - 1;
        return switch (random.nextInt(6)) {
            case 0 -> max;
            case 1 -> -max - 1;
            case 2 -> random.nextInt(4) - 1;
            default -> random.nextLong() >> (64 - bits);
        };
    }

    /** Between the extremes only what a double can hold, which is a limit of Ottla's that GAPS.md names. */
    private long longValue() {
        return switch (random.nextInt(8)) {
            case 0 -> Long.MAX_VALUE;
            case 1 -> Long.MIN_VALUE;
            case 2 -> MAX_SAFE;
            case 3 -> random.nextInt(4) - 1;
            default -> random.nextLong() >> 11;
        };
    }

    private byte[] bytes() {
        byte[] bytes = new byte[random.nextInt(3) == 0 ? 0 : random.nextInt(300)];
        random.nextBytes(bytes);
        return bytes;
    }

    /** As Kafka's generator names the fields of a schema: from names that begin with a capital, where "KRaft" is one word. */
    private static String snakeCase(String camelCase) {
        StringBuilder result = new StringBuilder();
        boolean wasCapital = true;
        for (char each : camelCase.toCharArray()) {
            boolean isCapital = Character.isUpperCase(each) || result.isEmpty();
            if (isCapital && !wasCapital) result.append('_');
            result.append(Character.toLowerCase(each));
            wasCapital = isCapital;
        }
        return result.toString();
    }
}
