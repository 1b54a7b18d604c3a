import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { BrokerConfig } from '../../src/config/broker-config.ts';
import { brokerKeys, findKey, groupKeys, topicKeys } from '../../src/config/catalogue.ts';
import { ConfigError } from '../../src/config/config-error.ts';
import type { ConfigKeys } from '../../src/config/config-key.ts';
import { validateGroupConfigs } from '../../src/config/group-config.ts';
import { canonicalText, parseValue } from '../../src/config/parse-value.ts';
import { validateTopicConfigs } from '../../src/config/topic-config.ts';

/** What Kafka's own classes say to the same values; written by scripts/import-configs/ProbeConfigs.java. */
const rows = readFileSync(new URL('golden/validation-kafka-4.3.1.tsv', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => line.split('\t') as [kind: string, configs: string, outcome: string]);

const base = {
  'process.roles': 'broker,controller',
  'node.id': '1',
  'controller.quorum.voters': '1@127.0.0.1:9093',
  listeners: 'PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093',
  'controller.listener.names': 'CONTROLLER',
};

function broker(configs: ReadonlyMap<string, string> = new Map()): BrokerConfig {
  return BrokerConfig.parse(new Map([...Object.entries(base), ...configs]));
}

function parse(text: string): Map<string, string> {
  return new Map(
    text.split(';').map((entry) => {
      const equals = entry.indexOf('=');
      return [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );
}

function value(keys: ConfigKeys, configs: ReadonlyMap<string, string>): string {
  const [[name, text] = ['', '']] = configs;
  const key = findKey(keys, name);
  if (key === undefined) throw new Error(`No key ${name}`);
  parseValue(name, key, text);
  return `ok ${canonicalText(name, key, text)}`;
}

const kinds: Record<string, (configs: Map<string, string>) => unknown> = {
  'broker-value': (configs) => value(brokerKeys, configs),
  'topic-value': (configs) => value(topicKeys, configs),
  'group-value': (configs) => value(groupKeys, configs),
  broker,
  topic: (configs) => validateTopicConfigs(broker(), configs),
  group: (configs) => validateGroupConfigs(broker(), configs),
};

function outcome(kind: string, text: string): string {
  try {
    const result = kinds[kind]?.(parse(text));
    return typeof result === 'string' ? result : 'ok';
  } catch (error) {
    if (error instanceof ConfigError) return error.wireMessage;
    throw error;
  }
}

describe('values and configurations are accepted and refused in the words of Kafka 4.3.1', () => {
  test.each(rows)('%s %s: %s', (kind, configs, expected) => {
    expect(outcome(kind, configs)).toBe(expected);
  });
});
