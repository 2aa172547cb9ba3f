import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.KafkaMessageListenerContainer;
import org.springframework.kafka.requestreply.ReplyingKafkaTemplate;

/** Asks a Partitura cluster through Spring's ReplyingKafkaTemplate how probable each digit is. Run it in the checkout. */
public final class Predict {
    private static final String REQUESTS = "partitura.digits.requests";
    private static final String REPLIES = "partitura.digits.replies";
    private static final Duration LIMIT = Duration.ofSeconds(30);

    public static void main(String[] args) throws Exception {
        var brokers = Optional.ofNullable(System.getenv("KAFKA_BROKERS")).filter(text -> !text.isEmpty()).orElse("127.0.0.1:9092");
        var request = Files.readString(Path.of(args.length > 0 ? args[0] : "examples/digits/request.json"));
        var template = template(brokers);
        template.start();
        try {
            if (!template.waitForAssignment(LIMIT)) throw new IllegalStateException("no partition of " + REPLIES);
            var reply = template.sendAndReceive(new ProducerRecord<>(REQUESTS, request), LIMIT).get(LIMIT.toSeconds(), TimeUnit.SECONDS);
            var failed = reply.headers().lastHeader("inference-error");
            if (failed != null) throw new IllegalStateException(new String(failed.value()) + ": " + reply.value());
            print(reply.value());
        } finally {
            template.stop();
            template.destroy();
            template.getProducerFactory().reset();
        }
    }

    private static ReplyingKafkaTemplate<String, String, String> template(String brokers) {
        var producers = new DefaultKafkaProducerFactory<>(Map.of("bootstrap.servers", brokers), new StringSerializer(), new StringSerializer());
        Map<String, Object> config = Map.of(
                "bootstrap.servers", brokers,
                ConsumerConfig.GROUP_ID_CONFIG, "digits-" + UUID.randomUUID(),
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "latest");
        var consumers = new DefaultKafkaConsumerFactory<>(config, new StringDeserializer(), new StringDeserializer());
        var template = new ReplyingKafkaTemplate<>(producers, new KafkaMessageListenerContainer<>(consumers, new ContainerProperties(REPLIES)));
        template.setSharedReplyTopic(true);
        return template;
    }

    private static void print(String reply) throws Exception {
        var body = new ObjectMapper().readTree(reply);
        System.out.println("digits version " + body.get("model_version").asText() + ", request " + body.get("id").asText());
        var probabilities = body.at("/outputs/0/data");
        for (int digit = 0; digit < probabilities.size(); digit++) System.out.printf("%d %.4f%n", digit, probabilities.get(digit).asDouble());
    }
}
