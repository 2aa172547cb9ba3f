import type { DeadLetterStyle, FailureStage } from '../../../schemas/headers/headers.js';
import type { Outbox } from '../../../kafka/sending/outbox.js';
import { sendFirstThatFits } from '../../../kafka/sending/send-first-that-fits.js';
import type { KafkaError, KafkaRecord, OutgoingRecord } from '../../../kafka/port.js';
import type { PassHeaders } from '../../../schemas/headers/reply-headers.js';
import type { TopicNames } from '../../../cluster/topics.js';
import { PartituraError } from '../../../schemas/errors.js';
import type { Framing, RecordHeaders } from '../../../schemas/framing/framing.js';
import type { InferenceReply } from '../../../schemas/generated.js';
import type { RecordSpans } from '../../records/record-spans.js';
import { deadLetterRefused, deadLetters, whyNotWritten } from '../../records/dead-letter.js';
import { errorReply, type Caller, type Outcome } from './outcome.js';

export interface PublisherOptions {
  readonly topics: TopicNames;
  readonly node: string;
  readonly spans: Pick<RecordSpans, 'carryOn'>;
  /** Largest record value. */
  readonly maxRecordBytes: number;
  readonly deadLetterHeaders: DeadLetterStyle;
  readonly passHeaders: PassHeaders;
  /** An outcome could not be put anywhere: the node must stop, its records go to others. */
  onStuck(error: Error): void;
  /** The broker refuses records for a reply topic, whatever they hold. */
  onTopicRefused(topic: string, reason: string): void;
  /** Called once for each dead letter sent. */
  onDeadLetter(reason: string, record: KafkaRecord, message: string): void;
}

/**
 * Turns outcomes into records and follows each until the broker has it. A reply that can't be delivered
 * becomes a dead letter; a dead letter that can't be delivered stops the node.
 */
export class ReplyPublisher {
  constructor(
    readonly outbox: Outbox,
    readonly options: PublisherOptions,
  ) {}

  /**
   * A dead letter's error reply follows it at once: waiting for its acknowledgement, it would be overtaken by
   * the replies to later requests.
   * @param acknowledged called when the broker has all that the outcome consists of
   */
  publish(outcome: Outcome, model: string, acknowledged: () => void): void {
    if (outcome.kind === 'tombstone') return acknowledged();
    if (outcome.kind === 'reply')
      return this.#sendReply(outcome.record, model, outcome.caller, outcome.reply, acknowledged);
    const { record, stage, error, notice } = outcome;
    if (!notice) return this.#sendDeadLetter(record, model, stage, error, acknowledged);
    let missing = 2;
    const oneAcknowledged = (): void => void (--missing === 0 && acknowledged());
    this.#sendDeadLetter(record, model, stage, error, oneAcknowledged);
    this.#sendReply(record, model, notice.caller, notice.reply, oneAcknowledged);
  }

  #sendReply(
    record: KafkaRecord,
    model: string,
    caller: Caller,
    reply: InferenceReply,
    acknowledged: () => void,
  ): void {
    this.outbox.push(this.#replyRecord(record, model, caller, this.#fit(caller, reply)), {
      delivered: acknowledged,
      failed: (error) => this.#replyFailed(record, model, caller, reply, error, acknowledged),
    });
  }

  #replyFailed(
    record: KafkaRecord,
    model: string,
    caller: Caller,
    reply: InferenceReply,
    error: KafkaError,
    acknowledged: () => void,
  ): void {
    if (isAboutProducer(error)) return this.options.onStuck(error);
    if (error.kind === 'too-large' && reply.error?.code !== 'REPLY_TOO_LARGE') {
      const smaller = errorReply(reply, tooLarge(error.message), this.options.node);
      return this.#sendReply(record, model, caller, smaller, acknowledged);
    }
    const topic = caller.address.topic ?? this.options.topics.replies(model);
    const reason = whyNotWritten(topic, error);
    if (error.kind === 'not-authorized' && caller.address.topic !== undefined)
      this.options.onTopicRefused(caller.address.topic, reason);
    const cause = new PartituraError('INTERNAL', `reply to '${topic}' refused: ${reason}`, { cause: error });
    this.#sendDeadLetter(record, model, 'reply', cause, acknowledged);
  }

  #sendDeadLetter(
    record: KafkaRecord,
    model: string,
    stage: FailureStage,
    error: PartituraError,
    acknowledged: () => void,
  ): void {
    const { topics, deadLetterHeaders } = this.options;
    const letters = deadLetters(record, topics.deadLetters(model), stage, error, deadLetterHeaders);
    const delivered = (): void => {
      this.options.onDeadLetter(error.code, record, error.message);
      acknowledged();
    };
    const stuck = (failure: KafkaError): void => {
      // Record and letter cannot both be to blame for exceptions in the broker: it is waited for.
      if (failure.mayBeOfRecord && failure.kind === 'other')
        return this.#sendDeadLetter(record, model, stage, error, acknowledged);
      if (failure.kind === 'unauthenticated') return this.options.onStuck(failure);
      this.options.onStuck(deadLetterRefused(record, failure, topics.deadLetters(model)));
    };
    sendFirstThatFits(this.outbox, letters, delivered, stuck);
  }

  #fit(caller: Caller, reply: InferenceReply): EncodedReply {
    const value = encode(caller, reply);
    const { maxRecordBytes, node } = this.options;
    if (value instanceof PartituraError) return this.#fit(caller, errorReply(reply, value, node));
    if (value.length <= maxRecordBytes || reply.error) return { value, reply };
    const error = tooLarge(`expected at most ${maxRecordBytes} bytes, got ${value.length}`);
    return this.#fit(caller, errorReply(reply, error, node));
  }

  #replyRecord(
    record: KafkaRecord,
    model: string,
    { dialect, address, framing }: Caller,
    { value, reply }: EncodedReply,
  ): OutgoingRecord {
    const topic = address.topic ?? this.options.topics.replies(model);
    const headers = dialect.write(address, reply.error);
    this.options.spans.carryOn(record, topic, headers);
    describe(framing.headers, headers);
    if (framing.headersOf) describe(framing.headersOf(reply), headers);
    this.options.passHeaders(record.headers, headers);
    const { key } = record;
    if (address.topic === undefined) return { topic, key, value, headers };
    return { topic, partition: address.partition, key, value, headers };
  }
}

/** Tells whether no record could be sent, whatever is in it: none becomes a dead letter then. */
function isAboutProducer({ kind }: KafkaError): boolean {
  return kind === 'unavailable' || kind === 'fenced' || kind === 'unauthenticated';
}

function describe(described: Framing['headers'], headers: RecordHeaders): void {
  for (const name in described) {
    const text = described[name] ?? '';
    headers[name] = typeof text === 'string' ? Buffer.from(text) : text;
  }
}

interface EncodedReply {
  readonly value: Buffer;
  readonly reply: InferenceReply;
}

function encode({ framing }: Caller, reply: InferenceReply): Buffer | PartituraError {
  try {
    return framing.encodeReply(reply);
  } catch (cause) {
    if (reply.error) throw cause;
    return PartituraError.from(cause);
  }
}

function tooLarge(details: string): PartituraError {
  return new PartituraError('REPLY_TOO_LARGE', `reply: ${details}`);
}
