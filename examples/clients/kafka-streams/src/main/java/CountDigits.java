import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPInputStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.CloseOptions.GroupMembershipOperation;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.api.ContextualFixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers;

/**
 * Sends a stream of handwritten digits through a Partitura cluster with Kafka Streams and counts what they are taken for:
 * digits.raw -> partitura.digits.requests -> (the cluster) -> digits.streams.replies -> counts. Run it in the checkout.
 */
public final class CountDigits {
    private static final String RAW = "digits.raw";
    private static final String REQUESTS = "partitura.digits.requests";
    private static final String REPLIES = "digits.streams.replies";
    private static final int DIGITS = 200;
    private static final int PIXELS = 64;
    private static final int LIMIT_SECONDS = 60;
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        var brokers = Optional.ofNullable(System.getenv("KAFKA_BROKERS")).filter(text -> !text.isEmpty()).orElse("127.0.0.1:9092");
        createTopics(brokers);
        writeDigits(brokers);
        var counts = new ConcurrentSkipListMap<String, Long>();
        var done = new CompletableFuture<Void>();
        var streams = new KafkaStreams(topology(counts, done), config(brokers));
        streams.setUncaughtExceptionHandler(error -> {
            done.completeExceptionally(error);
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        try {
            streams.start();
            done.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException error) {
            throw new IllegalStateException("not all " + DIGITS + " replies within " + LIMIT_SECONDS + " s", error);
        } finally {
            // Leaves the group, so that the next start need not wait for this one's session to end.
            streams.close(CloseOptions.groupMembershipOperation(GroupMembershipOperation.LEAVE_GROUP));
            // The counts are in a topic; nothing stays on this machine.
            streams.cleanUp();
        }
        counts.forEach((digit, count) -> System.out.println(digit + " " + count));
    }

    private static Topology topology(Map<String, Long> counts, CompletableFuture<Void> done) {
        var builder = new StreamsBuilder();
        builder.<String, String>stream(RAW).mapValues(CountDigits::request).processValues(ReplyAddress::new).to(REQUESTS);

        var answered = new AtomicInteger();
        builder.<String, String>stream(REPLIES).groupBy((digit, reply) -> takenFor(reply)).count().toStream().foreach((digit, count) -> {
            counts.put(digit, count);
            if (answered.incrementAndGet() == DIGITS) done.complete(null);
        });
        return builder.build();
    }

    /** Names the topic that replies come to. They keep the key of their request, which says what they belong to. */
    private static final class ReplyAddress extends ContextualFixedKeyProcessor<String, String, String> {
        @Override
        public void process(FixedKeyRecord<String, String> request) {
            request.headers().add("reply-to", REPLIES.getBytes());
            context().forward(request);
        }
    }

    /** From a line of the data, which has the right answer in its last column, to the Open Inference Protocol. */
    private static String request(String line) {
        var pixels = line.substring(0, line.lastIndexOf(','));
        return "{\"inputs\":[{\"name\":\"pixels\",\"datatype\":\"FP32\",\"shape\":[1," + PIXELS + "],\"data\":[" + pixels + "]}]}";
    }

    /** The most probable digit, or that the request was refused. */
    private static String takenFor(String reply) {
        var body = parse(reply);
        if (body.has("error")) return "refused: " + body.get("error").asText();
        var probabilities = body.at("/outputs/0/data");
        int best = 0;
        for (int digit = 1; digit < probabilities.size(); digit++)
            if (probabilities.get(digit).asDouble() > probabilities.get(best).asDouble()) best = digit;
        return String.valueOf(best);
    }

    private static JsonNode parse(String json) {
        try {
            return JSON.readTree(json);
        } catch (JsonProcessingException error) {
            throw new IllegalArgumentException("a reply that is no JSON: " + json, error);
        }
    }

    private static Properties config(String brokers) {
        var config = new Properties();
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, "count-digits");
        config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, brokers);
        config.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        config.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        config.put(StreamsConfig.DSL_STORE_SUPPLIERS_CLASS_CONFIG, InMemoryDslStoreSuppliers.class);
        // Each count is told at once, so that the program sees when all are there.
        config.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
        return config;
    }

    private static void createTopics(String brokers) throws Exception {
        try (var admin = Admin.create(Map.of("bootstrap.servers", brokers))) {
            for (var topic : List.of(RAW, REPLIES)) {
                try {
                    admin.createTopics(List.of(new NewTopic(topic, Optional.of(4), Optional.empty()))).all().get();
                } catch (ExecutionException error) {
                    if (!(error.getCause() instanceof TopicExistsException)) throw error;
                }
            }
        }
    }

    private static void writeDigits(String brokers) throws IOException {
        Map<String, Object> config = Map.of("bootstrap.servers", brokers);
        try (var producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
            var lines = readDigits();
            for (int index = 0; index < lines.size(); index++) producer.send(new ProducerRecord<>(RAW, "digit-" + index, lines.get(index)));
        }
    }

    private static List<String> readDigits() throws IOException {
        try (var text = new BufferedReader(new InputStreamReader(new GZIPInputStream(Files.newInputStream(Path.of("examples/digits/digits.csv.gz")))))) {
            return text.lines().limit(DIGITS).toList();
        }
    }
}
