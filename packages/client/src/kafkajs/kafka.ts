import { Admin, type AdminConfig } from './admin.ts';
import type { KafkaConfig } from './config.ts';
import { Consumer } from './consumer.ts';
import type { ConsumerConfig } from './consumer-types.ts';
import { KafkaJSNonRetriableError } from './errors.ts';
import { SharedConfig } from './handle.ts';
import type { KafkaJSLogger } from './logger.ts';
import { Producer } from './producer.ts';
import type { ProducerConfig } from './producer-types.ts';

/** kafkajs's `Kafka`: makes producers, consumers and admins for one cluster. */
export class Kafka {
  readonly #shared: SharedConfig;

  /** @throws KafkaJSNonRetriableError when `brokers` is missing */
  constructor(config: KafkaConfig) {
    if (config?.brokers === undefined) {
      throw new KafkaJSNonRetriableError('Failed to connect: expected brokers to be defined');
    }
    this.#shared = new SharedConfig(config);
  }

  producer(config: ProducerConfig = {}): Producer {
    return new Producer(this.#shared, config);
  }

  consumer(config: ConsumerConfig): Consumer {
    return new Consumer(this.#shared, config);
  }

  admin(config: AdminConfig = {}): Admin {
    return new Admin(this.#shared, config);
  }

  logger(): KafkaJSLogger {
    return this.#shared.logger;
  }
}
