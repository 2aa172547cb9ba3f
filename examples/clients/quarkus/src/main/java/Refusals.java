import io.smallrye.common.annotation.Identifier;
import io.smallrye.reactive.messaging.kafka.KafkaRecord;
import io.smallrye.reactive.messaging.kafka.reply.ReplyFailureHandler;
import jakarta.enterprise.context.ApplicationScoped;

/** Makes a failure of each reply that says it is one, so that the caller's `Uni` fails. */
@ApplicationScoped
@Identifier("partitura")
public class Refusals implements ReplyFailureHandler {
    @Override
    public Throwable handleReply(KafkaRecord<?, ?> reply) {
        var code = reply.getHeaders().lastHeader("inference-error");
        return code == null ? null : new IllegalStateException(new String(code.value()) + ": " + reply.getPayload());
    }
}
