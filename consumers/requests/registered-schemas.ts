import type { Logger } from '../../core/log.js';
import { registerSchemas } from '../../cluster/register-schemas.js';
import type { TopicNames } from '../../cluster/topics.js';
import type { AvroReader } from '../../schemas/avro/codec.js';
import { PartituraError } from '../../schemas/errors.js';
import {
  SchemaFraming,
  confluent,
  guidReplyLabel,
  idReplyLabel,
  schemaLabel,
  type ReplyLabel,
  type SchemaKey,
} from '../../schemas/framing/confluent.js';
import type { Framing, RecordHeaders } from '../../schemas/framing/framing.js';
import type { InferenceRequest } from '../../schemas/generated.js';
import { RegistryError, type RegisteredSchema, type SchemaRegistry } from '../../schemas/registry/client.js';
import { requestReader } from '../../schemas/registry/request-reader.js';
import { REPLY_SCHEMA } from '../../schemas/registry/self-contained.js';
import { RegistryCache, type RegistryCacheOptions } from './registry-cache.js';

export interface RegisteredSchemasOptions extends Pick<RegistryCacheOptions, 'now' | 'backoff'> {
  readonly topics: TopicNames;
  /** True if missing schemas are registered. */
  readonly autoRegister: boolean;
  readonly log: Logger;
}

/** Labels of a model's replies, by the labels of their requests. */
interface ReplyLabels {
  readonly byId: ReplyLabel;
  readonly byGuid: ReplyLabel | PartituraError;
}

/** The schemas with which records in Confluent's wire format are read and answered. */
export class RegisteredSchemas {
  readonly #closing = new AbortController();
  readonly #readers: RegistryCache<SchemaKey, AvroReader<InferenceRequest>>;
  readonly #replies: RegistryCache<string, ReplyLabels>;

  constructor(
    readonly registry: SchemaRegistry,
    readonly options: RegisteredSchemasOptions,
  ) {
    const onAway = (error: Error): void =>
      options.log.warn(
        { err: error },
        'schema registry unavailable, retrying; partitions with unknown schemas are paused',
      );
    const probe = (): Promise<unknown> => registry.probe();
    const lookUps = { ...options, signal: this.#closing.signal, onAway, probe };
    this.#readers = new RegistryCache((key) => this.#reader(key), lookUps);
    this.#replies = new RegistryCache((model) => this.#replyLabels(model), lookUps);
  }

  /**
   * Returns a promise until `framingOf` can answer; undefined if it can already. After `close` it never settles.
   * @param model the model that the record's topic belongs to
   */
  lookUp(value: Buffer | null, headers: RecordHeaders, model: string): Promise<void> | undefined {
    if (value === null || !confluent.detects(value, headers)) return undefined;
    const label = schemaLabel(value, headers);
    if (label instanceof PartituraError) return undefined;
    const reader = this.#readers.lookUp(label.key);
    const reply = this.#replies.lookUp(model);
    return reader && reply ? Promise.all([reader, reply]).then(() => undefined) : (reader ?? reply);
  }

  /** Returns the framing of a record that `confluent` has detected. */
  framingOf(value: Buffer, headers: RecordHeaders, model: string): Framing {
    const label = schemaLabel(value, headers);
    if (label instanceof PartituraError) return new SchemaFraming(0, label, label);
    const replies = this.#replies.get(model);
    const reply =
      replies instanceof PartituraError
        ? replies
        : typeof label.key === 'number'
          ? replies.byId
          : replies.byGuid;
    return new SchemaFraming(label.start, this.#readers.get(label.key), reply);
  }

  /** Registers the model's schemas once the registry is available, if automatic registration is on. */
  announce(model: string): void {
    if (!this.options.autoRegister) return;
    void this.#replies.lookUp(model)?.then(() => {
      const replies = this.#replies.get(model);
      if (replies instanceof PartituraError)
        this.options.log.warn(
          { model, err: replies },
          "schema registration failed; requests in Confluent's wire format become dead letters",
        );
    });
  }

  /** Ends all requests to the registry. */
  close(): void {
    this.#closing.abort();
    this.registry.close();
  }

  async #reader(key: SchemaKey): Promise<AvroReader<InferenceRequest>> {
    try {
      return await requestReader(this.registry, key);
    } catch (cause) {
      if (cause instanceof RegistryError && cause.kind === 'unavailable') throw cause;
      const { message } = cause as Error;
      const expected = `schema ${key}: expected one of ${this.registry.address} that can be read as InferenceRequest`;
      throw new PartituraError('DECODE_FAILED', `${expected}, got: ${message}`, { cause });
    }
  }

  async #replyLabels(model: string): Promise<ReplyLabels> {
    const { id, guid } = await this.#replySchema(model);
    return {
      byId: idReplyLabel(id),
      byGuid: guid === undefined || guid === null ? this.#noGuid(model) : guidReplyLabel(guid),
    };
  }

  async #replySchema(model: string): Promise<RegisteredSchema> {
    const { topics, autoRegister } = this.options;
    try {
      if (autoRegister) return (await registerSchemas(this.registry, topics, model)).replies;
      return await this.registry.find(topics.repliesSubject(model), REPLY_SCHEMA);
    } catch (cause) {
      if (!(cause instanceof RegistryError) || cause.kind === 'unavailable') throw cause;
      if (cause.kind === 'unknown' && !autoRegister) throw this.#notRegistered(model);
      // The registry refused a schema of ours, which is not the request's fault.
      throw new PartituraError('INTERNAL', `reply: its schema cannot be registered: ${cause.message}`, {
        cause,
      });
    }
  }

  #notRegistered(model: string): PartituraError {
    const subject = this.options.topics.repliesSubject(model);
    return new PartituraError(
      'INTERNAL',
      `reply: expected its schema under '${subject}' of the registry ${this.registry.address}, got none: ` +
        `run \`partitura schemas register ${model}\` or set SCHEMA_REGISTRY_AUTO_REGISTER=true on the nodes`,
    );
  }

  #noGuid(model: string): PartituraError {
    return new PartituraError(
      'INTERNAL',
      `reply: expected a GUID of the schema of '${this.options.topics.repliesSubject(model)}', got none from the registry ${this.registry.address}`,
    );
  }
}
