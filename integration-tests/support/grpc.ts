import { credentials, makeClientConstructor, Metadata, type Client, type ServiceError } from '@grpc/grpc-js';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { loadProtos, serviceOf } from '../../gateway/grpc/protos.js';

export interface CallOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly deadlineMs?: number;
}

/** The reply of a call as an object whose fields a test asserts. */
export type Message = Readonly<Record<string, unknown>>;

/** A call that was not answered with OK. */
export type Refusal = Pick<ServiceError, 'code' | 'details' | 'metadata'>;

type Unary = (
  request: object,
  metadata: Metadata,
  options: object,
  done: (error: ServiceError | null, reply: Message) => void,
) => { cancel(): void };
type Stream = (metadata: Metadata) => ClientStream;
/** The client's end of a bidirectional stream. */
export type ClientStream = Omit<ServerDuplexStream<Message, object>, 'end'> & {
  end(): void;
  cancel(): void;
};

/** A client of one service. */
export class GrpcClient {
  readonly #client: Client;

  constructor(address: string, service: string, channel = credentials.createInsecure()) {
    const Constructor = makeClientConstructor(serviceOf(loadProtos(), service), service);
    this.#client = new Constructor(address, channel, { 'grpc.max_receive_message_length': -1 });
  }

  /** @throws Refusal */
  call(method: string, request: object, options: CallOptions = {}): Promise<Message> {
    return this.start(method, request, options).reply;
  }

  /** Returns the reply of a call and a way to cancel it. */
  start(
    method: string,
    request: object,
    { metadata, deadlineMs }: CallOptions = {},
  ): { readonly reply: Promise<Message>; readonly cancel: () => void } {
    let cancel = (): void => undefined;
    const reply = new Promise<Message>((resolve, reject) => {
      const limit = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
      const call = this.#method<Unary>(method)(request, metadataOf(metadata), limit, (error, answer) =>
        error ? reject(error) : resolve(answer),
      );
      cancel = () => call.cancel();
    });
    return { reply, cancel };
  }

  /** Makes a call that is expected to be refused. */
  async refusal(method: string, request: object, options: CallOptions = {}): Promise<Refusal> {
    const error = await this.call(method, request, options).then(
      (reply) => new Error(`expected a refusal, got ${JSON.stringify(reply)}`),
      (refused: ServiceError) => refused,
    );
    if ('code' in error) return error;
    throw error;
  }

  stream(method: string, metadata?: Readonly<Record<string, string>>): ClientStream {
    return this.#method<Stream>(method)(metadataOf(metadata));
  }

  close(): void {
    this.#client.close();
  }

  #method<T extends (...args: never[]) => unknown>(name: string): T {
    const method = (this.#client as unknown as Record<string, T>)[name];
    if (!method) throw new Error(`the service has no method ${name}`);
    return method.bind(this.#client) as T;
  }
}

function metadataOf(entries: Readonly<Record<string, string>> = {}): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(entries)) metadata.set(name, value);
  return metadata;
}
