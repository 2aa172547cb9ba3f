import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.zip.GZIPInputStream;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.serialization.SimpleStringSchema;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.TopicExistsException;

/**
 * Sends a stream of handwritten digits through a Partitura cluster with Flink and counts what they are taken for:
 * lines -> partitura.digits.requests -> (the cluster) -> digits.flink.replies -> counts. Run it in the checkout.
 */
public final class CountDigits {
    private static final String REQUESTS = "partitura.digits.requests";
    private static final String REPLIES = "digits.flink.replies";
    private static final int DIGITS = 200;
    private static final int LIMIT_SECONDS = 60;

    public static void main(String[] args) throws Exception {
        var brokers = Optional.ofNullable(System.getenv("KAFKA_BROKERS")).filter(text -> !text.isEmpty()).orElse("127.0.0.1:9092");
        createReplyTopic(brokers);
        var startedAt = System.currentTimeMillis();
        // A cluster of its own in this process, unless it was submitted to another.
        var environment = StreamExecutionEnvironment.getExecutionEnvironment();
        environment.setParallelism(1);
        environment.fromData(readDigits()).map(CountDigits::request).sinkTo(requests(brokers));
        var replies = KafkaSource.<String>builder()
                .setBootstrapServers(brokers)
                .setTopics(REPLIES)
                .setGroupId("count-digits-flink")
                .setStartingOffsets(OffsetsInitializer.timestamp(startedAt))
                .setValueOnlyDeserializer(new SimpleStringSchema())
                .build();
        var counts = environment.fromSource(replies, WatermarkStrategy.noWatermarks(), "replies")
                .map(reply -> Tuple2.of(takenFor(reply), 1L)).returns(Types.TUPLE(Types.STRING, Types.LONG))
                .keyBy(one -> one.f0)
                .sum(1);
        var last = new TreeMap<String, Long>();
        for (var count : take(counts, DIGITS)) last.put(count.f0, count.f1);
        last.forEach((digit, count) -> System.out.println(digit + " " + count));
    }

    /** The first results of a job without an end, which is over then. */
    private static <T> List<T> take(DataStream<T> stream, int results) throws Exception {
        var task = new FutureTask<>(() -> stream.executeAndCollect(results));
        new Thread(task).start();
        try {
            return task.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException error) {
            System.err.println("not all " + results + " replies within " + LIMIT_SECONDS + " s");
            System.exit(1);
            throw error;
        }
    }

    private static KafkaSink<String> requests(String brokers) {
        return KafkaSink.<String>builder()
                .setBootstrapServers(brokers)
                .setRecordSerializer((KafkaRecordSerializationSchema<String>) (request, context, timestamp) -> {
                    var record = new ProducerRecord<byte[], byte[]>(REQUESTS, request.getBytes());
                    record.headers().add("reply-to", REPLIES.getBytes());
                    return record;
                })
                .build();
    }

    /** From a line of the data, which has the right answer in its last column, to the Open Inference Protocol. */
    private static String request(String line) {
        var pixels = line.substring(0, line.lastIndexOf(','));
        return "{\"inputs\":[{\"name\":\"pixels\",\"datatype\":\"FP32\",\"shape\":[1,64],\"data\":[" + pixels + "]}]}";
    }

    /** The most probable digit, or that the request was refused. */
    private static String takenFor(String reply) throws IOException {
        var body = new ObjectMapper().readTree(reply);
        if (body.has("error")) return "refused: " + body.get("error").asText();
        var probabilities = body.at("/outputs/0/data");
        int best = 0;
        for (int digit = 1; digit < probabilities.size(); digit++)
            if (probabilities.get(digit).asDouble() > probabilities.get(best).asDouble()) best = digit;
        return String.valueOf(best);
    }

    private static void createReplyTopic(String brokers) throws Exception {
        try (var admin = Admin.create(Map.of("bootstrap.servers", brokers))) {
            admin.createTopics(List.of(new NewTopic(REPLIES, Optional.of(4), Optional.empty()))).all().get();
        } catch (ExecutionException error) {
            if (!(error.getCause() instanceof TopicExistsException)) throw error;
        }
    }

    private static List<String> readDigits() throws IOException {
        try (var text = new BufferedReader(new InputStreamReader(new GZIPInputStream(Files.newInputStream(Path.of("examples/digits/digits.csv.gz")))))) {
            return text.lines().limit(DIGITS).toList();
        }
    }
}
