import { Cluster } from '../../kafka/native/transport/cluster.js';
import { produceRequest } from '../../kafka/native/protocol/produce.js';
import { rawBatch, zigzag } from '../../testing/record-batches.js';
import { sleep } from '../../core/time.js';
import { encodeRequest } from '../../schemas/framing/single-object.js';
import { PACKINGS } from '../../testing/packed-batches.js';

const REQUEST_LIMIT_MS = 30_000;
const ROUND_MS = 10;
/** Every eighth request contains a long run of equal bytes, which decompresses to three hundred times its size. */
const LARGE_EVERY = 8;
const RUN_BYTES = 300_000;
const PIXELS = 64;
const WARM_UP_BATCH = 100;

/** Writes requests in batches of one, cycling through the codecs. */
export class RequestSender {
  readonly #cluster: Cluster;
  #sent = 0;

  constructor(
    bootstrap: string,
    readonly topic: string,
  ) {
    this.#cluster = new Cluster({ clientId: 'memory', connectTimeout: 3_000 }, [bootstrap]);
  }

  async connect(): Promise<void> {
    await this.#cluster.connect();
    await this.#cluster.refresh(this.topic);
  }

  /** Writes small requests in uncompressed batches of a hundred. */
  async warmUp(count: number, partitions: number): Promise<void> {
    while (this.#sent < count)
      await this.#produce(
        Array.from({ length: partitions }, () => {
          const records = Array.from({ length: WARM_UP_BATCH }, (_, delta) =>
            requestRecord(this.#sent++, 0, delta),
          );
          return rawBatch(Buffer.concat(records), records.length);
        }),
      );
  }

  /** Writes one batch to each partition. */
  async #produce(batches: readonly Buffer[]): Promise<void> {
    const { leaders } = await this.#cluster.topic(this.topic);
    const request = produceRequest(
      batches.map((batch, partition) => ({ topic: this.topic, partition, batch })),
      REQUEST_LIMIT_MS,
      null,
    );
    const broker = this.#cluster.broker(leaders[0]);
    const answers = await this.#cluster.connections.send(broker, request, REQUEST_LIMIT_MS);
    for (const { error } of answers) if (error !== undefined) throw new Error(`produce: ${error}`);
  }

  /** Writes one request to each partition repeatedly. @returns the number of requests */
  async sendUntil(until: number, partitions: number): Promise<number> {
    for (let next = performance.now(); next < until; next += ROUND_MS) {
      await sleep(Math.max(0, next - performance.now()));
      await this.#produce(Array.from({ length: partitions }, () => this.#nextBatch()));
      if (performance.now() > next + 1_000) next = performance.now();
    }
    return this.#sent;
  }

  #nextBatch(): Buffer {
    const id = this.#sent++;
    const packing = PACKINGS[id % PACKINGS.length];
    if (!packing) throw new Error('no codecs');
    const isLarge = id % LARGE_EVERY === 0 && packing.codec !== 0;
    const plain = requestRecord(id, isLarge ? RUN_BYTES : 0);
    const start = isLarge ? plain.indexOf('x'.repeat(64)) : plain.length;
    const run = { start, length: isLarge ? RUN_BYTES : 0 };
    return rawBatch(packing.pack(plain, run), 1, { codec: packing.codec });
  }

  close(): void {
    this.#cluster.close();
  }
}

function requestRecord(id: number, padding: number, offsetDelta = 0): Buffer {
  const pixels = Buffer.from(Float32Array.from({ length: PIXELS }, (_, index) => (id + index) % 16).buffer);
  const value = encodeRequest({
    id: `r-${id}`,
    model: 'digits',
    modelVersion: null,
    inputs: [{ name: 'pixels', datatype: 'FP32', shape: [1, PIXELS], data: pixels }],
    outputs: [],
    parameters: padding > 0 ? { padding: 'x'.repeat(padding) } : {},
    deadline: null,
  });
  const name = Buffer.from('correlation-id');
  const correlation = Buffer.from(String(id));
  const body = Buffer.concat([
    Buffer.from([0, 0]),
    zigzag(offsetDelta),
    zigzag(-1),
    zigzag(value.length),
    value,
    zigzag(1),
    zigzag(name.length),
    name,
    zigzag(correlation.length),
    correlation,
  ]);
  return Buffer.concat([zigzag(body.length), body]);
}
