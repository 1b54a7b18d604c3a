import type { Logger } from '@ottla/platform';
import type { BrokerConfig } from './config/broker-config.ts';
import { topicValues, toLogConfig } from './config/topic-config.ts';
import { ConfigResourceType } from './metadata/image.ts';
import type { MetadataDelta, MetadataImage, MetadataListener } from './metadata/image.ts';
import type { PartitionConfig } from './replica/partition-config.ts';

/**
 * The configuration in force: the properties of the start, under the dynamic configs of the metadata image, cluster-wide
 * ones below those of this broker. Subscribe it before every part that reads it.
 */
export class BrokerConfigState implements MetadataListener {
  readonly #static: BrokerConfig;
  readonly #logger: Logger;
  #current: BrokerConfig;
  #image: MetadataImage | null = null;

  constructor(config: BrokerConfig, logger: Logger) {
    this.#static = config;
    this.#current = config;
    this.#logger = logger;
  }

  get current(): BrokerConfig {
    return this.#current;
  }

  /** The configuration of a topic as its partitions need it. */
  partitionConfig(topic: string): PartitionConfig {
    const values = topicValues(
      this.#current,
      this.#image?.configs.get(ConfigResourceType.topic, topic) ?? new Map(),
    );
    return {
      log: toLogConfig(values),
      minInsyncReplicas: values['min.insync.replicas'],
      writeCaching: values['write.caching'],
    };
  }

  start(image: MetadataImage): void {
    this.#image = image;
    this.#resolve(image);
  }

  onMetadataChange(delta: MetadataDelta, image: MetadataImage): void {
    this.#image = image;
    const prefix = `${ConfigResourceType.broker}/`;
    for (const key of delta.changedConfigs) {
      if (key.startsWith(prefix)) return this.#resolve(image);
    }
  }

  #resolve(image: MetadataImage): void {
    const { configs } = image;
    const clusterWide = configs.get(ConfigResourceType.broker, '');
    const ofThisBroker = configs.get(ConfigResourceType.broker, String(this.#static.nodeId));
    try {
      this.#current = this.#static.withDynamic(clusterWide, ofThisBroker);
    } catch (error) {
      // Written by another version or before the static properties changed: the broker goes on with what it had.
      this.#logger.error(
        { err: error },
        'The dynamic broker configs are not valid together and have no effect',
      );
    }
  }
}
