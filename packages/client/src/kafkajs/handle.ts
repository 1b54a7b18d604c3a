import { connect, type Ottla } from '../connect.ts';
import { NodeClock, type Clock } from '@ottla/platform';
import { clientOptions, type KafkaConfig } from './config.ts';
import { logLevel } from './constants.ts';
import { translated } from './errors.ts';
import { clientLogger, createLogger, type KafkaJSLogger } from './logger.ts';

/**
 * What the producers, consumers and admins of one `Kafka` object share: its configuration and the way to a handle. Each of them opens
 * a handle of its own, since kafkajs connects and disconnects them one by one.
 */
export class SharedConfig {
  readonly clock: Clock = new NodeClock();
  readonly logger: KafkaJSLogger;
  readonly #config: KafkaConfig;

  constructor(config: KafkaConfig) {
    this.#config = config;
    this.logger = createLogger({
      level: config.logLevel ?? logLevel.INFO,
      create: config.logCreator,
      timestamp: () => new Date(this.clock.nowMs()).toISOString(),
    });
  }

  /** Connects: resolves once a broker has answered. Rejects with a KafkaJS error. */
  open(overrides: Pick<KafkaConfig, 'retry'> = {}): Promise<Ottla> {
    return translated(async () => {
      const config = { ...this.#config, ...(overrides.retry !== undefined && { retry: overrides.retry }) };
      const brokers = typeof config.brokers === 'function' ? await config.brokers() : config.brokers;
      const handle = connect({ ...clientOptions(config, brokers), logger: clientLogger(this.logger) });
      try {
        await handle.ready();
        return handle;
      } catch (error) {
        await handle.close();
        throw error;
      }
    });
  }
}
