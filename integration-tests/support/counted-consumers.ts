import { KafkaError, type ConsumerHandlers, type KafkaClient, type KafkaConsumer } from '../../kafka/port.js';

/** A Kafka client that counts its open consumers, and whose consumers can be made to fail. */
export class CountedConsumers {
  readonly kafka: KafkaClient;
  /** Consumers created and not closed. */
  open = 0;
  created = 0;
  /** Number of consumers, from the next one on, that fail to start. */
  failing = 0;
  #handlers: ConsumerHandlers | undefined;

  constructor(client: KafkaClient) {
    this.kafka = over(client, { consumer: (options) => this.#counted(client.consumer(options)) });
  }

  /** Reports a crash of the consumer that started last. */
  crash(): void {
    this.#handlers?.onCrash(new KafkaError('unavailable', 'crash of a test'));
  }

  #counted(consumer: KafkaConsumer): KafkaConsumer {
    this.open++;
    this.created++;
    let isOpen = true;
    return over(consumer, {
      start: async (handlers) => {
        if (this.failing-- > 0) throw new KafkaError('unavailable', 'failure of a test');
        this.#handlers = handlers;
        await consumer.start(handlers);
      },
      close: async () => {
        if (isOpen) this.open--;
        isOpen = false;
        await consumer.close();
      },
    });
  }
}

/** Returns an object whose methods are those of another, except for some. */
function over<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get: (_target, name) => {
      const own: unknown = Reflect.get(methods, name);
      const value: unknown = own ?? Reflect.get(target, name, target);
      return typeof value === 'function' && own === undefined ? (value.bind(target) as unknown) : value;
    },
  });
}
