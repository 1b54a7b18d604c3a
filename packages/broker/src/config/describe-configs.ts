import type { BrokerConfig } from './broker-config.ts';
import { brokerKeys, clientMetricsKeys, findKey, groupKeys, topicKeys } from './catalogue.ts';
import type { ConfigKey, ConfigKeys, ConfigType, ConfigValue } from './config-key.ts';
import { keyOfProperty, synonymsOfProperty } from './dynamic-configs.ts';
import { canonicalText } from './parse-value.ts';
import { printValue } from './print-value.ts';
import { topicDefaults } from './topic-config.ts';

/** Kafka's ids for where a value comes from. */
export const ConfigSource = {
  topic: 1,
  dynamicBroker: 2,
  dynamicDefaultBroker: 3,
  staticBroker: 4,
  default: 5,
  clientMetrics: 7,
  group: 8,
} as const;

/** Kafka's ids of value types; 0 stands for a name that is no known key. */
const typeIds: Readonly<Record<ConfigType, number>> = {
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
  password: 9,
};

/** One key of one resource, as DescribeConfigs shows it. Sensitive values are null. */
export interface ConfigDescription {
  readonly name: string;
  readonly value: string | null;
  readonly readOnly: boolean;
  readonly configSource: number;
  readonly isSensitive: boolean;
  /** Every place that sets the key, the one in force first. */
  readonly synonyms: ConfigSynonym[];
  readonly configType: number;
  readonly documentation: string | null;
}

export interface ConfigSynonym {
  readonly name: string;
  readonly value: string | null;
  readonly source: number;
}

/** Names to describe; empty or null: all of them. */
export type WantedNames = readonly string[] | null;

/** The keys of a broker, those that are not the catalogue's own included. */
export function describeBroker(config: BrokerConfig, wanted: WantedNames = null): ConfigDescription[] {
  return namesOf(brokerKeys, config.properties, wanted).map((name) =>
    remembered(config, `broker/${name}`, () =>
      describeBrokerKey(name, brokerSynonyms(config, name), valueInForce(config, name)),
    ),
  );
}

/** Only what is set for all brokers: the description of the broker resource with the empty name. */
export function describeClusterWide(config: BrokerConfig, wanted: WantedNames = null): ConfigDescription[] {
  const { clusterWide } = config.layers;
  return namesOf({}, clusterWide, wanted).map((name) => {
    const synonyms = brokerSynonyms(config, name).filter(
      (synonym) => synonym.source === ConfigSource.dynamicDefaultBroker,
    );
    // What this broker has for itself says nothing about the others.
    return describeBrokerKey(name, synonyms, printed(name, clusterWide.get(name)));
  });
}

/** The keys of a topic. */
export function describeTopic(
  config: BrokerConfig,
  overrides: ReadonlyMap<string, string>,
  wanted: WantedNames = null,
): ConfigDescription[] {
  return namesOf(topicKeys, overrides, wanted).map((name) => {
    const override = overrides.get(name);
    if (override !== undefined) return describeTopicKey(config, name, override);
    return remembered(config, `topic/${name}`, () => describeTopicKey(config, name, null));
  });
}

function describeTopicKey(config: BrokerConfig, name: string, override: string | null): ConfigDescription {
  const key = findKey(topicKeys, name);
  const defaults = topicDefaults(config) as Readonly<Record<string, ConfigValue>>;
  const inherited = key === undefined ? null : printValue(defaults[name] ?? null, key.type);
  const brokerKey = key?.synonyms?.[0];
  return describeKey({
    name,
    key,
    value: override === null ? inherited : canonical(name, key, override),
    own: override === null ? null : ConfigSource.topic,
    synonyms: brokerKey === undefined ? [] : brokerSynonyms(config, brokerKey),
  });
}

/** The keys of a group, whether the group exists or not. */
export function describeGroup(
  config: BrokerConfig,
  overrides: ReadonlyMap<string, string>,
  wanted: WantedNames = null,
): ConfigDescription[] {
  return namesOf(groupKeys, overrides, wanted).map((name) => {
    const key = findKey(groupKeys, name);
    const override = overrides.get(name);
    const brokerKey = key?.synonyms?.[0];
    const inherited = brokerKey === undefined ? (key?.default ?? null) : valueInForce(config, brokerKey);
    const value = override === undefined ? inherited : canonical(name, key, override);
    const ownDefault: ConfigSynonym[] = [{ name, value: inherited, source: ConfigSource.default }];
    return describeKey({
      name,
      key,
      value,
      own: override === undefined ? null : ConfigSource.group,
      synonyms: brokerKey === undefined ? ownDefault : brokerSynonyms(config, brokerKey),
    });
  });
}

/** The keys of a client metrics subscription, whether it exists or not. */
export function describeClientMetrics(
  overrides: ReadonlyMap<string, string>,
  wanted: WantedNames = null,
): ConfigDescription[] {
  return namesOf(clientMetricsKeys, overrides, wanted).map((name) => {
    const key = findKey(clientMetricsKeys, name);
    const override = overrides.get(name);
    return describeKey({
      name,
      key,
      value: override === undefined ? (key?.default ?? null) : canonical(name, key, override),
      own: override === undefined ? null : ConfigSource.clientMetrics,
      synonyms: [],
    });
  });
}

/**
 * Descriptions that depend on the configuration of the broker alone. Thousands of topics share them: a request that
 * asks for all of them costs a reference for each key, not a copy.
 */
const descriptionsOf = new WeakMap<BrokerConfig, Map<string, ConfigDescription>>();

function remembered(
  config: BrokerConfig,
  what: string,
  describe: () => ConfigDescription,
): ConfigDescription {
  let known = descriptionsOf.get(config);
  if (known === undefined) {
    known = new Map();
    descriptionsOf.set(config, known);
  }
  let description = known.get(what);
  if (description === undefined) {
    description = describe();
    known.set(what, description);
  }
  return description;
}

interface KeyFacts {
  readonly name: string;
  readonly key: ConfigKey | undefined;
  readonly value: string | null;
  /** The source of the resource's own override; null when it has none. */
  readonly own: number | null;
  /** What stands behind the override. */
  readonly synonyms: readonly ConfigSynonym[];
}

function describeKey({ name, key, value, own, synonyms }: KeyFacts): ConfigDescription {
  const isSensitive = isSensitiveKey(key);
  const shown = isSensitive ? null : value;
  const all = own === null ? [...synonyms] : [{ name, value: shown, source: own }, ...synonyms];
  return {
    name,
    value: shown,
    readOnly: false,
    configSource: all[0]?.source ?? ConfigSource.default,
    isSensitive,
    synonyms: all,
    configType: key === undefined ? 0 : typeIds[key.type],
    documentation: key?.doc ?? null,
  };
}

function describeBrokerKey(name: string, synonyms: ConfigSynonym[], value: string | null): ConfigDescription {
  const key = keyOfProperty(name)?.key;
  const isSensitive = isSensitiveKey(key);
  return {
    name,
    value: isSensitive ? null : value,
    // A key with a listener prefix counts as read-only although it can be set: so does Kafka.
    readOnly: findKey(brokerKeys, name)?.scope === undefined,
    configSource: synonyms[0]?.source ?? ConfigSource.default,
    isSensitive,
    synonyms,
    configType: key === undefined ? 0 : typeIds[key.type],
    documentation: key?.doc ?? null,
  };
}

/**
 * Every setting of a broker key and of the keys that mean the same, dynamic ones first. Kafka starts the list at the
 * first one under the very name that was asked for, so a default under another name alone does not show.
 */
function brokerSynonyms(config: BrokerConfig, name: string): ConfigSynonym[] {
  const { static: staticProperties, clusterWide, ofBroker } = config.layers;
  const layers = [
    [ofBroker, ConfigSource.dynamicBroker],
    [clusterWide, ConfigSource.dynamicDefaultBroker],
    [staticProperties, ConfigSource.staticBroker],
  ] as const;
  const names = synonymsOfProperty(name);
  const found: ConfigSynonym[] = [];
  const isSensitive = isSensitiveKey(keyOfProperty(name)?.key);
  const add = (synonym: string, value: string | null | undefined, source: number): void => {
    if (value !== undefined) found.push({ name: synonym, value: isSensitive ? null : value, source });
  };
  for (const [layer, source] of layers) for (const synonym of names) add(synonym, layer.get(synonym), source);
  for (const synonym of names)
    add(synonym, findKey(brokerKeys, synonym)?.default ?? undefined, ConfigSource.default);
  const first = found.findIndex((synonym) => synonym.name === name);
  return first < 0 ? [] : found.slice(first);
}

function valueInForce(config: BrokerConfig, name: string): string | null {
  return printed(name, config.properties.get(name) ?? findKey(brokerKeys, name)?.default);
}

/** The printed form of a broker key's value; null where there is none. */
function printed(name: string, text: string | null | undefined): string | null {
  return text === null || text === undefined ? null : canonical(name, keyOfProperty(name)?.key, text);
}

/** The printed form; a stored value that no longer parses is shown as it is. */
function canonical(name: string, key: ConfigKey | undefined, text: string): string {
  if (key === undefined) return text;
  try {
    return canonicalText(name, key, text);
  } catch {
    return text;
  }
}

/** A name that is no known key may be a plugin's secret. */
function isSensitiveKey(key: ConfigKey | undefined): boolean {
  return key === undefined || key.type === 'password';
}

/** The public keys of a table and whatever else is set, as far as they are wanted. */
function namesOf(keys: ConfigKeys, set: ReadonlyMap<string, string>, wanted: WantedNames): string[] {
  const isPublic = (name: string): boolean => set.has(name) || findKey(keys, name)?.internal === undefined;
  if (wanted !== null && wanted.length > 0) {
    const known = wanted.filter((name) => set.has(name) || findKey(keys, name) !== undefined);
    return [...new Set(known)].filter(isPublic);
  }
  return [...new Set([...Object.keys(keys), ...set.keys()])].filter(isPublic);
}
