import type { BrokerConfig } from './broker-config.ts';
import { ConfigError } from './config-error.ts';
import { checkDynamicConfigs } from './dynamic-configs.ts';

/** Sizes of thread pools that Kafka lets grow or shrink by at most a factor of two at a time. */
const threadKeys = [
  'num.io.threads',
  'num.network.threads',
  'num.replica.fetchers',
  'num.recovery.threads.per.data.dir',
  'background.threads',
] as const;

/** Keys that Kafka can change while it runs and Ottla cannot: refused, because ignoring them would mislead. */
const fixedKeys = ['listeners', 'listener.security.protocol.map', 'cordoned.log.dirs'] as const;

/**
 * Checks a whole new set of dynamic configs, of this broker or of all brokers, on top of everything else in force.
 * @throws ConfigError with Kafka's message; over the wire it is an INVALID_REQUEST
 */
export function validateBrokerConfigs(
  current: BrokerConfig,
  proposed: ReadonlyMap<string, string>,
  { perBroker }: { perBroker: boolean },
): void {
  checkDynamicConfigs(proposed, { perBroker });
  for (const name of fixedKeys) {
    if (proposed.has(name) && proposed.get(name) !== current.properties.get(name)) {
      throw new ConfigError(
        `Property "${name}" cannot be changed while the broker runs yet: set it at its start`,
      );
    }
  }
  const { clusterWide, ofBroker } = current.layers;
  const next = perBroker
    ? current.withDynamic(clusterWide, proposed)
    : current.withDynamic(proposed, ofBroker);
  for (const name of threadKeys) checkThreadCount(name, next.get(name), current.get(name));
}

function checkThreadCount(name: string, next: number, current: number): void {
  if (next === current) return;
  if (next < Math.floor(current / 2)) refuse(`value should be at least half the current value ${current}`);
  if (next > current * 2) refuse(`value should not be greater than double the current value ${current}`);

  function refuse(reason: string): never {
    const failure = `Dynamic thread count update validation failed for ${name}=${next}, ${reason}`;
    // Kafka wraps one exception in another here and shows both.
    throw new ConfigError(
      `Invalid value org.apache.kafka.common.config.ConfigException: ${failure} for configuration Invalid dynamic configuration`,
    );
  }
}
