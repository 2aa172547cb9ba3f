import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.GenericRecordBuilder;
import org.apache.avro.message.BinaryMessageDecoder;
import org.apache.avro.message.BinaryMessageEncoder;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Sends one handwritten digit to a Partitura cluster and prints how probable each digit is. Run it in the checkout. */
public final class Predict {
    private static final String REQUESTS = "partitura.digits.requests";
    private static final String REPLIES = "partitura.digits.replies";
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final Schema REQUEST = schema("InferenceRequest");
    private static final Schema REPLY = schema("InferenceReply");

    public static void main(String[] args) throws IOException {
        var brokers = Optional.ofNullable(System.getenv("KAFKA_BROKERS")).filter(text -> !text.isEmpty()).orElse("127.0.0.1:9092");
        Map<String, Object> config = Map.of("bootstrap.servers", brokers);
        try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
                var producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            startAtEnd(consumer);
            var correlation = UUID.randomUUID().toString();
            var record = new ProducerRecord<byte[], byte[]>(REQUESTS, encode(pixels()));
            record.headers().add("correlation-id", correlation.getBytes()).add("reply-to", REPLIES.getBytes());
            producer.send(record);
            producer.flush();
            print(waitFor(consumer, correlation));
        }
    }

    /** Avro's own single-object encoding (C3 01, fingerprint, value) is what the cluster reads. */
    private static byte[] encode(float[] pixels) throws IOException {
        var data = ByteBuffer.allocate(pixels.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        data.asFloatBuffer().put(pixels);
        var tensor = new GenericRecordBuilder(REQUEST.getField("inputs").schema().getElementType())
                .set("name", "pixels").set("datatype", "FP32").set("shape", List.of(1L, 64L)).set("data", data).build();
        var request = new GenericRecordBuilder(REQUEST)
                .set("id", UUID.randomUUID().toString()).set("model", "digits").set("inputs", List.of(tensor))
                .set("deadline", Instant.now().plus(LIMIT).toEpochMilli()).build();
        var bytes = new BinaryMessageEncoder<GenericRecord>(GenericData.get(), REQUEST).encode(request);
        var value = new byte[bytes.remaining()];
        bytes.get(value);
        return value;
    }

    /** Asking for the position settles it now, so that the reply can't be missed. */
    private static void startAtEnd(KafkaConsumer<byte[], byte[]> consumer) {
        var partitions = consumer.partitionsFor(REPLIES).stream().map(info -> new TopicPartition(REPLIES, info.partition())).toList();
        consumer.assign(partitions);
        consumer.seekToEnd(partitions);
        partitions.forEach(consumer::position);
    }

    private static GenericRecord waitFor(KafkaConsumer<byte[], byte[]> consumer, String correlation) throws IOException {
        for (var giveUpAt = Instant.now().plus(LIMIT); Instant.now().isBefore(giveUpAt); ) {
            for (var record : consumer.poll(Duration.ofSeconds(1))) {
                var header = record.headers().lastHeader("correlation-id");
                if (header != null && correlation.equals(new String(header.value())))
                    return new BinaryMessageDecoder<GenericRecord>(GenericData.get(), REPLY).decode(record.value());
            }
        }
        throw new IllegalStateException("no reply within " + LIMIT.toSeconds() + " s");
    }

    private static void print(GenericRecord reply) {
        if (reply.get("error") instanceof GenericRecord error)
            throw new IllegalStateException(error.get("code") + ": " + error.get("message"));
        System.out.println("digits version " + reply.get("modelVersion") + ", answered by " + reply.get("node"));
        var output = (GenericRecord) ((List<?>) reply.get("outputs")).get(0);
        var probabilities = ((ByteBuffer) output.get("data")).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
        for (int digit = 0; digit < probabilities.limit(); digit++) System.out.printf("%d %.4f%n", digit, probabilities.get(digit));
    }

    private static float[] pixels() throws IOException {
        var list = new ObjectMapper().readTree(Path.of("examples/digits/request.json").toFile()).at("/inputs/0/data");
        var pixels = new float[list.size()];
        for (int index = 0; index < pixels.length; index++) pixels[index] = list.get(index).floatValue();
        return pixels;
    }

    private static Schema schema(String name) {
        try {
            return new Schema.Parser().parse(Path.of("schemas", "standalone", name + ".avsc").toFile());
        } catch (IOException error) {
            throw new ExceptionInInitializerError(error);
        }
    }
}
