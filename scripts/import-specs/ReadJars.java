import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.protocol.Errors;

/** Copies the message specs out of the jars named after the target folder, and prints the error codes. */
public class ReadJars {
    private static final Pattern SPEC = Pattern.compile("(?:common/)?(?:message|metadata)/(\\w+\\.json)");

    public static void main(String[] arguments) throws IOException {
        Path target = Files.createDirectories(Path.of(arguments[0]));
        for (int index = 1; index < arguments.length; index++) copySpecs(arguments[index], target);
        for (Errors error : Errors.values()) {
            boolean retriable = error.exception() instanceof RetriableException;
            System.out.println("error " + error.code() + " " + error.name() + " " + retriable);
        }
    }

    private static void copySpecs(String jar, Path target) throws IOException {
        try (ZipFile zip = new ZipFile(jar)) {
            for (ZipEntry entry : zip.stream().toList()) {
                Matcher name = SPEC.matcher(entry.getName());
                if (!name.matches()) continue;
                Files.write(target.resolve(name.group(1)), zip.getInputStream(entry).readAllBytes());
            }
        }
    }
}
