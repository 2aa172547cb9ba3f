import type { Config } from '../../core/config/config.js';
import type { Logger } from '../../core/log.js';
import type { KafkaClient } from '../../kafka/port.js';
import { FollowedTopic } from '../../kafka/reading/followed-topic.js';
import { topicNames } from '../topics.js';
import { collectDirectives, NO_MODEL_DIRECTIVE, type Directive, type ModelDirective } from './directives.js';

const LIMITS = { maxRecordBytes: 64 * 1024, maxBytes: 16 * 1024 * 1024 };

/** The directives of the control topic, kept up to date. */
export class LiveDirectives {
  readonly #followed: FollowedTopic;
  #directives: readonly Directive[] | undefined;

  constructor(
    kafka: KafkaClient,
    { prefix, fetchMaxBytes }: Pick<Config, 'prefix' | 'fetchMaxBytes'>,
    log: Logger,
  ) {
    this.#followed = new FollowedTopic(kafka, {
      ...LIMITS,
      topic: topicNames(prefix).control,
      fetchMaxBytes,
      log,
    });
    this.#followed.onChange(() => (this.#directives = undefined));
  }

  /** Reads the current directives, then follows. @throws KafkaError if the topic cannot be read */
  start(): Promise<void> {
    return this.#followed.start();
  }

  /** Returns all directives, oldest first. */
  all(): readonly Directive[] {
    this.#directives ??= collectDirectives(this.#followed.records());
    return this.#directives;
  }

  /** Returns the directive of a model; the defaults if nobody has given one. */
  model(name: string): ModelDirective {
    for (const directive of this.all())
      if (directive.kind === 'model' && directive.name === name) return directive.value;
    return NO_MODEL_DIRECTIVE;
  }

  isDrained(node: string): boolean {
    return this.all().some(({ kind, name, value }) => kind === 'node' && name === node && value.drained);
  }

  /** Offset after the last record that was read. */
  get position(): number {
    return this.#followed.position;
  }

  /** Resolves once all directives written so far are read. @returns the offset after the last one @throws KafkaError */
  readToEnd(): Promise<number> {
    return this.#followed.readToEnd();
  }

  /** Calls `listener` after each change, until the returned function is called. */
  onChange(listener: () => void): () => void {
    return this.#followed.onChange(listener);
  }

  close(): Promise<void> {
    return this.#followed.close();
  }
}
