import type { DeadLetterStyle } from '../../../schemas/headers/headers.js';
import type { Outbox } from '../../../kafka/sending/outbox.js';
import { firstThatFits, sendAttempt } from '../../../kafka/sending/attempt.js';
import type { KafkaError, KafkaRecord, OutgoingRecord } from '../../../kafka/port.js';
import type { PassHeaders } from '../../../schemas/headers/reply-headers.js';
import type { TopicNames } from '../../../cluster/topics.js';
import { PartituraError, statedError } from '../../../schemas/errors.js';
import type { Framing, RecordHeaders } from '../../../schemas/framing/framing.js';
import type { InferenceReply } from '../../../schemas/generated.js';
import type { RecordSpans } from '../../records/record-spans.js';
import { deadLetterRefused, deadLetters, whyNotWritten, type Rejected } from '../../records/dead-letter.js';
import { errorReply, type Caller, type Outcome } from './outcome.js';

export interface PublisherOptions {
  readonly topics: TopicNames;
  readonly node: string;
  readonly spans: Pick<RecordSpans, 'carryOn'>;
  /** Largest record value. */
  readonly maxRecordBytes: number;
  readonly deadLetterHeaders: DeadLetterStyle;
  readonly passHeaders: PassHeaders;
  /** Called when an outcome cannot be published; the node must stop, so that other nodes answer its records. */
  onStuck(error: Error): void;
  /** Called when the broker refuses every record for a reply topic. */
  onTopicRefused(topic: string, reason: string): void;
  /** Called once for each published dead letter. */
  onDeadLetter(reason: string, record: KafkaRecord, message: string): void;
}

/** A request whose outcome is being published. */
interface Publication {
  readonly record: KafkaRecord;
  readonly model: string;
  readonly headers?: RecordHeaders | undefined;
  acknowledged(): void;
}

/**
 * Publishes outcomes and follows each until the broker has it. A reply that cannot be delivered becomes a dead letter;
 * a dead letter that cannot be delivered stops the node.
 */
export class ReplyPublisher {
  constructor(
    readonly outbox: Outbox,
    readonly options: PublisherOptions,
  ) {}

  /**
   * Publishes an outcome. The error reply of a dead letter is sent without waiting for the dead letter's
   * acknowledgement: replies to later requests would overtake it.
   * @param acknowledged called once the broker has everything that the outcome consists of
   */
  publish(outcome: Outcome, model: string, acknowledged: () => void): void {
    if (outcome.kind === 'tombstone' || outcome.kind === 'cancelled') return acknowledged();
    const { record } = outcome;
    if (outcome.kind === 'reply') {
      const { caller, reply, headers } = outcome;
      return this.#sendReply({ record, model, headers, acknowledged }, caller, reply);
    }
    const publication = { record, model, acknowledged };
    const { notice } = outcome;
    if (!notice) return this.#sendDeadLetter(publication, outcome);
    let missing = 2;
    const each = { record, model, acknowledged: (): void => void (--missing === 0 && acknowledged()) };
    this.#sendDeadLetter(each, outcome);
    this.#sendReply(each, notice.caller, notice.reply);
  }

  /** Returns the reason why a reply cannot be delivered as it is; undefined if it can. */
  problemOf(caller: Caller, reply: InferenceReply): PartituraError | undefined {
    return errorIn(this.#fit(caller, reply).reply);
  }

  /**
   * Publishes one of several replies to a record. Resolves once the broker has it.
   * @throws PartituraError if it cannot be delivered as it is; nothing is sent instead
   */
  async publishPart(
    { record, caller, reply, headers }: Extract<Outcome, { kind: 'reply' }>,
    model: string,
  ): Promise<void> {
    const fitted = this.#fit(caller, reply);
    const problem = errorIn(fitted.reply);
    if (problem) throw problem;
    const publication = { record, model, headers, acknowledged: (): void => undefined };
    await new Promise<void>((resolve, reject) => {
      this.outbox.push(this.#replyRecord(publication, caller, fitted), {
        delivered: resolve,
        failed: (error) => {
          if (isAboutProducer(error)) this.options.onStuck(error);
          reject(replyRefused(this.#replyTopic(caller, model), error));
        },
      });
    });
  }

  #replyTopic({ address }: Caller, model: string): string {
    return address.topic ?? this.options.topics.replies(model);
  }

  #sendReply(publication: Publication, caller: Caller, reply: InferenceReply): void {
    this.outbox.push(this.#replyRecord(publication, caller, this.#fit(caller, reply)), {
      delivered: () => publication.acknowledged(),
      failed: (error) => this.#replyFailed(publication, caller, reply, error),
    });
  }

  #replyFailed(publication: Publication, caller: Caller, reply: InferenceReply, error: KafkaError): void {
    if (isAboutProducer(error)) return this.options.onStuck(error);
    if (error.kind === 'too-large' && reply.error?.code !== 'REPLY_TOO_LARGE') {
      const smaller = errorReply(reply, tooLarge(error.message), this.options.node);
      return this.#sendReply(publication, caller, smaller);
    }
    const { record, model } = publication;
    const topic = this.#replyTopic(caller, model);
    if (error.kind === 'not-authorized' && caller.address.topic !== undefined)
      this.options.onTopicRefused(caller.address.topic, whyNotWritten(topic, error));
    this.#sendDeadLetter(publication, { record, stage: 'reply', error: replyRefused(topic, error) });
  }

  #sendDeadLetter(publication: Publication, rejected: Rejected): void {
    const { record, error } = rejected;
    const { topics, deadLetterHeaders } = this.options;
    const deadLetterTopic = topics.deadLetters(publication.model);
    const delivered = (): void => {
      this.options.onDeadLetter(error.code, record, error.message);
      publication.acknowledged();
    };
    const failed = (failure: KafkaError): void => {
      // Record and dead letter cannot both be to blame for an exception in the broker: retries until it recovers.
      if (failure.mayBeOfRecord && failure.kind === 'other')
        return this.#sendDeadLetter(publication, rejected);
      if (failure.kind === 'unauthenticated') return this.options.onStuck(failure);
      this.options.onStuck(deadLetterRefused(record, failure, deadLetterTopic));
    };
    const letters = deadLetters(rejected, { deadLetterTopic, deadLetterHeaders });
    sendAttempt(this.outbox, firstThatFits(...letters), { delivered, failed });
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
    { record, model, headers: more }: Publication,
    { dialect, address, framing }: Caller,
    { value, reply }: EncodedReply,
  ): OutgoingRecord {
    const topic = address.topic ?? this.options.topics.replies(model);
    const headers = dialect.write(address, reply.error);
    if (more) Object.assign(headers, more);
    this.options.spans.carryOn(record, topic, headers);
    describe(framing.headers, headers);
    if (framing.headersOf) describe(framing.headersOf(reply), headers);
    this.options.passHeaders(record.headers, headers);
    const { key } = record;
    if (address.topic === undefined) return { topic, key, value, headers };
    return { topic, partition: address.partition, key, value, headers };
  }
}

/** Returns the error that a reply states. */
function errorIn({ error }: InferenceReply): PartituraError | undefined {
  return error ? statedError(error) : undefined;
}

function replyRefused(topic: string, cause: KafkaError): PartituraError {
  const reason = whyNotWritten(topic, cause);
  return new PartituraError('INTERNAL', `reply to '${topic}' refused: ${reason}`, { cause });
}

/** Returns true if the producer cannot send any record; the record is not to blame and becomes no dead letter. */
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
