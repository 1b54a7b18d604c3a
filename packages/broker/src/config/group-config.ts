import type { BrokerConfig } from './broker-config.ts';
import { findKey, groupKeys, type GroupValues, keyEntries } from './catalogue.ts';
import { ConfigError } from './config-error.ts';
import type { ConfigValue } from './config-key.ts';
import { defaultValue, parseValue } from './parse-value.ts';

/**
 * What applies to a group: its overrides over the broker's defaults. Unknown names and values that no longer parse leave the
 * default standing; a value beyond the broker's limits, which were others when it was set, counts as the limit.
 */
export function groupValues(config: BrokerConfig, overrides: ReadonlyMap<string, string>): GroupValues {
  const values: Record<string, ConfigValue> = {};
  for (const [name, key] of keyEntries(groupKeys)) {
    const brokerKey = key.synonyms?.[0];
    values[name] = brokerKey === undefined ? defaultValue(name, key) : (config.lookup(brokerKey) ?? null);
    const text = overrides.get(name);
    if (text === undefined) continue;
    try {
      values[name] = withinLimits(config, name, parseValue(name, key, text));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
    }
  }
  return values as unknown as GroupValues;
}

/** The configs of groups, as they are in force; what was computed is kept until the configuration changes. */
export class GroupConfigs {
  readonly #config: () => BrokerConfig;
  readonly #overrides: (groupId: string) => ReadonlyMap<string, string>;
  #defaultsOf: BrokerConfig | null = null;
  #defaults: GroupValues | null = null;
  #values = new WeakMap<ReadonlyMap<string, string>, GroupValues>();

  /** `config` is the broker's configuration now, `overrides` what is set for a group. */
  constructor(config: () => BrokerConfig, overrides: (groupId: string) => ReadonlyMap<string, string>) {
    this.#config = config;
    this.#overrides = overrides;
  }

  /** The values in force for a group. */
  of(groupId: string): GroupValues {
    const config = this.#config();
    if (this.#defaults === null || this.#defaultsOf !== config) {
      this.#defaultsOf = config;
      this.#defaults = groupValues(config, new Map());
      this.#values = new WeakMap();
    }
    const overrides = this.#overrides(groupId);
    if (overrides.size === 0) return this.#defaults;
    const known = this.#values.get(overrides);
    if (known !== undefined) return known;
    const values = groupValues(config, overrides);
    this.#values.set(overrides, values);
    return values;
  }
}

/**
 * Checks the overrides of a group: names, values, and the limits that the broker sets for them.
 * @throws ConfigError with Kafka's message
 */
export function validateGroupConfigs(config: BrokerConfig, overrides: ReadonlyMap<string, string>): void {
  for (const name of overrides.keys()) {
    if (findKey(groupKeys, name) === undefined) throw new ConfigError(`Unknown group config name: ${name}`);
  }
  for (const [name, key] of keyEntries(groupKeys)) {
    const text = overrides.get(name);
    if (text === undefined) continue;
    const value = parseValue(name, key, text);
    if (typeof value === 'number') ensureWithinLimits(config, name, value);
  }
  const values = groupValues(config, overrides);
  for (const kind of ['consumer', 'share', 'streams'] as const) {
    if (values[`${kind}.heartbeat.interval.ms`] < values[`${kind}.session.timeout.ms`]) continue;
    throw new ConfigError(`${kind}.session.timeout.ms must be greater than ${kind}.heartbeat.interval.ms`);
  }
}

function ensureWithinLimits(config: BrokerConfig, name: string, value: number): void {
  const [min, max] = [limitOf(config, name, 'min'), limitOf(config, name, 'max')];
  if (min !== null && value < min.value) {
    throw new ConfigError(`${name} must be greater than or equal to ${min.key}`);
  }
  if (max !== null && value > max.value) {
    throw new ConfigError(`${name} must be less than or equal to ${max.key}`);
  }
}

function withinLimits(config: BrokerConfig, name: string, value: ConfigValue): ConfigValue {
  if (typeof value !== 'number') return value;
  const min = limitOf(config, name, 'min')?.value ?? value;
  const max = limitOf(config, name, 'max')?.value ?? value;
  return Math.min(Math.max(value, min), max);
}

/** `consumer.session.timeout.ms` lies between `group.consumer.min.session.timeout.ms` and the `max` beside it; null: no limit. */
function limitOf(
  config: BrokerConfig,
  name: string,
  which: 'min' | 'max',
): { readonly key: string; readonly value: number } | null {
  const key =
    name === 'streams.num.standby.replicas'
      ? `group.streams.${which}.standby.replicas`
      : `group.${name.replace('.', `.${which}.`)}`;
  const value = config.lookup(key);
  return typeof value === 'number' ? { key, value } : null;
}
