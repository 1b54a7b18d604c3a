import type { LogConfig } from '@ottla/storage';
import type { BrokerConfig } from './broker-config.ts';
import { findKey, keyEntries, topicKeys, type TopicValues } from './catalogue.ts';
import { ConfigError } from './config-error.ts';
import type { ConfigKey, ConfigValue } from './config-key.ts';
import { defaultValue, parseValue } from './parse-value.ts';

/** The values of a topic without overrides, by broker configuration: computed once for each. */
const defaultsOf = new WeakMap<BrokerConfig, TopicValues>();

/** What applies to a topic that overrides nothing: each key from its broker key. */
export function topicDefaults(config: BrokerConfig): TopicValues {
  const known = defaultsOf.get(config);
  if (known !== undefined) return known;
  const values: Record<string, ConfigValue> = {};
  for (const [name, key] of keyEntries(topicKeys)) values[name] = topicDefault(config, name, key);
  const defaults = values as unknown as TopicValues;
  defaultsOf.set(config, defaults);
  return defaults;
}

/**
 * What applies to a topic: its overrides over the broker's defaults. Overrides come from committed records, so a name
 * this release does not know, or a value it would no longer take, leaves the default standing instead of failing.
 */
export function topicValues(config: BrokerConfig, overrides: ReadonlyMap<string, string>): TopicValues {
  const defaults = topicDefaults(config);
  if (overrides.size === 0) return defaults;
  const values: Record<string, ConfigValue> = { ...defaults };
  for (const [name, text] of overrides) {
    const key = findKey(topicKeys, name);
    if (key === undefined) continue;
    try {
      values[name] = parseValue(name, key, text);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
    }
  }
  return values as unknown as TopicValues;
}

/**
 * Checks the overrides of a topic: names, values, and how they go together with the defaults.
 * @throws ConfigError with Kafka's message; over the wire it is an INVALID_CONFIG
 */
export function validateTopicConfigs(config: BrokerConfig, overrides: ReadonlyMap<string, string>): void {
  for (const name of overrides.keys()) {
    if (findKey(topicKeys, name) === undefined) throw new ConfigError(`Unknown topic config name: ${name}`);
  }
  const values: Record<string, ConfigValue> = { ...topicDefaults(config) };
  for (const [name, text] of overrides) {
    const key = findKey(topicKeys, name);
    if (key !== undefined) values[name] = parseValue(name, key, text);
  }
  checkTopicRules(values as unknown as TopicValues);
}

function checkTopicRules(values: TopicValues): void {
  const minLagMs = values['min.compaction.lag.ms'];
  const maxLagMs = values['max.compaction.lag.ms'];
  if (minLagMs > maxLagMs) {
    throw new ConfigError(
      `conflict topic config setting min.compaction.lag.ms (${minLagMs}) > max.compaction.lag.ms (${maxLagMs})`,
    );
  }
  if (values['remote.storage.enable']) {
    throw new ConfigError(
      'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.',
    );
  }
}

/** The part of a topic's configuration that its log needs. */
export function toLogConfig(values: TopicValues): LogConfig {
  const policies = values['cleanup.policy'];
  return {
    // Kafka's own tests shrink segments below the public minimum with the internal key.
    segmentBytes: values['internal.segment.bytes'] ?? values['segment.bytes'],
    segmentMs: values['segment.ms'],
    segmentJitterMs: values['segment.jitter.ms'],
    segmentIndexBytes: values['segment.index.bytes'],
    flushMessages: values['flush.messages'],
    flushMs: values['flush.ms'],
    retentionBytes: values['retention.bytes'],
    retentionMs: values['retention.ms'],
    maxMessageBytes: values['max.message.bytes'],
    indexIntervalBytes: values['index.interval.bytes'],
    fileDeleteDelayMs: values['file.delete.delay.ms'],
    compact: policies.includes('compact'),
    minCleanableDirtyRatio: values['min.cleanable.dirty.ratio'],
    minCompactionLagMs: values['min.compaction.lag.ms'],
    maxCompactionLagMs: values['max.compaction.lag.ms'],
    deleteRetentionMs: values['delete.retention.ms'],
    delete: policies.includes('delete'),
    compressionType: values['compression.type'] as LogConfig['compressionType'],
    compressionGzipLevel: values['compression.gzip.level'],
    compressionLz4Level: values['compression.lz4.level'],
    compressionZstdLevel: values['compression.zstd.level'],
    messageTimestampType: values['message.timestamp.type'] as LogConfig['messageTimestampType'],
    messageTimestampBeforeMaxMs: values['message.timestamp.before.max.ms'],
    messageTimestampAfterMaxMs: values['message.timestamp.after.max.ms'],
  };
}

function topicDefault(config: BrokerConfig, name: string, key: ConfigKey): ConfigValue {
  switch (name) {
    case 'retention.ms':
      return config.logRetentionMs;
    case 'segment.ms':
      return config.logRollMs;
    case 'segment.jitter.ms':
      return config.logRollJitterMs;
    case 'flush.ms':
      return config.logFlushIntervalMs;
    default: {
      const brokerKey = key.synonyms?.[0];
      return brokerKey === undefined ? defaultValue(name, key) : (config.lookup(brokerKey) ?? null);
    }
  }
}
