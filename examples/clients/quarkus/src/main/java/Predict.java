import io.quarkus.runtime.QuarkusApplication;
import io.quarkus.runtime.annotations.QuarkusMain;
import io.smallrye.mutiny.Uni;
import io.smallrye.reactive.messaging.kafka.reply.KafkaRequestReply;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import jakarta.inject.Inject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.eclipse.microprofile.reactive.messaging.Channel;

/** Asks a Partitura cluster through SmallRye's KafkaRequestReply how probable each digit is. Run it in the checkout. */
@QuarkusMain
public class Predict implements QuarkusApplication {
    private static final Duration LIMIT = Duration.ofSeconds(30);

    @Inject
    @Channel("digits")
    KafkaRequestReply<String, String> digits;

    @Override
    public int run(String... args) throws Exception {
        var request = Files.readString(Path.of(args.length > 0 ? args[0] : "examples/digits/request.json"));
        try {
            within(digits.waitForAssignments(), "no partition of the reply topic");
            print(new JsonObject(within(digits.request(request), "no reply")));
            return 0;
        } catch (RuntimeException error) {
            System.err.println(error.getMessage());
            return 1;
        }
    }

    private static <T> T within(Uni<T> awaited, String missing) {
        return awaited.ifNoItem().after(LIMIT).failWith(() -> new IllegalStateException(missing + " within " + LIMIT.toSeconds() + " s"))
                .await().indefinitely();
    }

    private static void print(JsonObject reply) {
        System.out.println("digits version " + reply.getString("model_version") + ", request " + reply.getString("id"));
        JsonArray probabilities = reply.getJsonArray("outputs").getJsonObject(0).getJsonArray("data");
        for (int digit = 0; digit < probabilities.size(); digit++) System.out.printf("%d %.4f%n", digit, probabilities.getDouble(digit));
    }
}
