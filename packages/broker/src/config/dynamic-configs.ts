import { brokerKeys, findKey } from './catalogue.ts';
import { ConfigError } from './config-error.ts';
import type { ConfigKey } from './config-key.ts';
import { checkMoveRate } from './move-rate.ts';
import { parseValue } from './parse-value.ts';

/** `listener.name.NAME.KEY`: a key for one listener only. */
const listenerPrefix = /^listener\.name\.[^.]*\.(.*)$/;

/** Keys that, for one listener, may still be set for the whole cluster. */
const clusterLevelListenerKeys = ['max.connections', 'max.connection.creation.rate', 'num.network.threads'];

/** Key and trust stores, dynamic only for one listener at a time. */
const storeKey = /^ssl\.((key|trust)store\.|key\.password$)/;

/**
 * The key behind a broker property: the listener prefix and, behind it, a SASL mechanism are taken off. Null when there
 * is no such key.
 */
export function keyOfProperty(name: string): { readonly name: string; readonly key: ConfigKey } | null {
  const plain = findKey(brokerKeys, name);
  if (plain !== undefined) return { name, key: plain };
  const base = listenerPrefix.exec(name)?.[1];
  if (base === undefined) return null;
  const key = findKey(brokerKeys, base);
  return key === undefined ? null : { name: base, key };
}

/** All names that set the same thing as a broker property, itself or the most specific one first. */
export function synonymsOfProperty(name: string): readonly string[] {
  const key = findKey(brokerKeys, name);
  if (key !== undefined) return key.synonyms ?? [name];
  const base = listenerPrefix.exec(name)?.[1];
  return base === undefined ? [name] : [name, base];
}

/** Whether a broker key may change while the broker runs. */
function isDynamicKey(name: string): boolean {
  return findKey(brokerKeys, name)?.scope !== undefined;
}

/** What of a stored dynamic layer can take effect; the rest is ignored as Kafka ignores it when it reloads. */
export function usableDynamicConfigs(
  stored: ReadonlyMap<string, string>,
  { perBroker }: { perBroker: boolean },
): ReadonlyMap<string, string> {
  const usable = new Map<string, string>();
  for (const [name, value] of stored) {
    try {
      checkDynamicConfigs(new Map([[name, value]]), { perBroker });
      usable.set(name, value);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
    }
  }
  return usable;
}

/**
 * Checks the dynamic configs of a broker (or of all brokers) by themselves: may the keys be changed here, do the
 * values parse. Unknown names pass, as in Kafka: they may belong to a plugin.
 * @throws ConfigError with Kafka's message
 */
export function checkDynamicConfigs(
  configs: ReadonlyMap<string, string>,
  { perBroker }: { perBroker: boolean },
): void {
  const names = [...configs.keys()].toSorted();
  refuse(
    names.filter((name) => findKey(brokerKeys, name) !== undefined && !isDynamicKey(name)),
    'Cannot update these configs dynamically',
  );
  refuse(
    names.filter((name) => isDynamicKey(name) && storeKey.test(name)),
    'These security configs can be dynamically updated only per-listener using the listener prefix',
  );
  for (const [name, value] of configs) {
    const property = keyOfProperty(name);
    if (property !== null) parseValue(property.name, property.key, value);
  }
  checkMoveRate(configs);
  if (perBroker) return;
  refuse(
    names.filter(isPerBrokerOnly),
    'Cannot update these configs at default cluster level, broker id must be specified',
  );
}

function isPerBrokerOnly(name: string): boolean {
  const base = listenerPrefix.exec(name)?.[1];
  if (base !== undefined) return !clusterLevelListenerKeys.includes(base);
  return findKey(brokerKeys, name)?.scope === 'per-broker';
}

function refuse(names: readonly string[], reason: string): void {
  if (names.length > 0) throw new ConfigError(`${reason}: [${names.join(', ')}]`);
}
