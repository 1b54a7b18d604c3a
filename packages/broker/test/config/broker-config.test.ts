import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { BrokerConfig } from '../../src/config/broker-config.ts';
import { ConfigError } from '../../src/config/config-error.ts';
import { describeBroker } from '../../src/config/describe-configs.ts';
import {
  topicDefaults,
  topicValues,
  toLogConfig,
  validateTopicConfigs,
} from '../../src/config/topic-config.ts';

function parse(properties: Record<string, string> = {}): BrokerConfig {
  return BrokerConfig.parse(new Map(Object.entries(properties)));
}

describe('a broker without properties', () => {
  test('is one node that is broker and controller', () => {
    const config = parse();
    expect(config.nodeId).toBe(1);
    expect(config.get('process.roles')).toEqual(['broker', 'controller']);
    expect(config.listeners.broker).toEqual([
      { listenerName: 'PLAINTEXT', host: '', port: 9092, securityProtocol: 'PLAINTEXT' },
    ]);
  });

  test('saturates an int64 that no number holds', () => {
    expect(parse().get('log.flush.interval.messages')).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe('keys with several names', () => {
  test.each([
    [{}, 604_800_000],
    [{ 'log.retention.hours': '2' }, 7_200_000],
    [{ 'log.retention.hours': '2', 'log.retention.minutes': '3' }, 180_000],
    [{ 'log.retention.hours': '2', 'log.retention.minutes': '3', 'log.retention.ms': '4' }, 4],
    [{ 'log.retention.hours': '-1' }, -1],
  ])('%j keeps records for %d ms', (properties, expected) => {
    expect(parse(properties).logRetentionMs).toBe(expected);
    expect(topicDefaults(parse(properties))['retention.ms']).toBe(expected);
  });

  test('broker.id sets node.id', () => {
    expect(parse({ 'broker.id': '7' }).nodeId).toBe(7);
  });
});

describe('dynamic configs', () => {
  const config = parse({ 'log.retention.ms': '1' });

  test('of the broker stand over those of the cluster, over the properties', () => {
    const clusterWide = new Map([['log.retention.ms', '2']]);
    expect(config.withDynamic(clusterWide, new Map()).logRetentionMs).toBe(2);
    expect(config.withDynamic(clusterWide, new Map([['log.retention.ms', '3']])).logRetentionMs).toBe(3);
    expect(config.withDynamic(clusterWide, new Map()).withDynamic(new Map(), new Map()).logRetentionMs).toBe(
      1,
    );
  });

  test('that could not be set are left out', () => {
    const stored = new Map([
      ['num.partitions', '9'],
      ['log.roll.ms', 'x'],
      ['log.segment.bytes', '2000000'],
    ]);
    const effective = config.withDynamic(stored, new Map());
    expect([effective.get('num.partitions'), effective.get('log.segment.bytes')]).toEqual([1, 2_000_000]);
  });
});

describe('a topic', () => {
  test('takes its overrides over the broker, and ignores what is unknown or no longer valid', () => {
    const config = parse({ 'message.max.bytes': '5000' });
    const overrides = new Map([
      ['retention.ms', '77'],
      ['segment.bytes', '5'],
      ['from.the.future', '1'],
    ]);
    const log = toLogConfig(topicValues(config, overrides));
    expect([log.retentionMs, log.maxMessageBytes, log.segmentBytes]).toEqual([77, 5000, 1_073_741_824]);
  });

  test('inherits write.caching from the broker', () => {
    expect(topicDefaults(parse())['write.caching']).toBe(false);
    const caching = parse({ 'write.caching': 'true' });
    expect(topicDefaults(caching)['write.caching']).toBe(true);
    expect(topicValues(caching, new Map([['write.caching', 'false']]))['write.caching']).toBe(false);
  });
});

describe('warnings', () => {
  test.each([
    [
      'log.retntion.ms',
      '5',
      ['Unknown property "log.retntion.ms" has no effect; did you mean "log.retention.ms"?'],
    ],
    ['xyzzy', '5', ['Unknown property "xyzzy" has no effect']],
    ['preferred', 'x', ['Unknown property "preferred" has no effect']],
    ['num.io.threads', '9', ['Not supported yet and without effect: num.io.threads']],
    ['num.io.threads', '8', []],
    ['log.retention.ms', '5', []],
    [
      'listener.name.plaintext.ssl.keystore.type',
      'PEM',
      ['Not supported yet and without effect: listener.name.plaintext.ssl.keystore.type'],
    ],
  ])('%s=%s', (name, value, expected) => {
    expect(parse({ [name]: value }).warnings()).toEqual(expected);
  });
});

test('a key that promises protection is refused instead of ignored', () => {
  expect(() => parse({ 'authorizer.class.name': 'org.example.Acls' })).toThrow(
    'Property "authorizer.class.name" is not supported yet: remove it to start without "org.example.Acls"',
  );
});

test('a password never shows', () => {
  const config = parse({ 'ssl.keystore.password': 'hunter2' });
  const password = config.get('ssl.keystore.password');
  const shown = [
    String(password),
    JSON.stringify({ password }),
    inspect({ password }),
    JSON.stringify(describeBroker(config)),
  ];
  expect(shown.filter((text) => text.includes('hunter2'))).toEqual([]);
  expect(password?.reveal()).toBe('hunter2');
});

describe('long values of clients are parsed in a time that grows with their length only', () => {
  const length = 1_000_000;
  test.each<[string, string]>([
    ['cleanup.policy', `a${' '.repeat(length)}b`],
    ['cleanup.policy', ','.repeat(length)],
    ['min.cleanable.dirty.ratio', `${'1'.repeat(length)}x`],
    ['retention.ms', '9'.repeat(length)],
    ['leader.replication.throttled.replicas', `${'1'.repeat(length)}:x`],
  ])('%s', (name, value) => {
    const started = process.cpuUsage();
    expect(() => validateTopicConfigs(parse(), new Map([[name, value]]))).toThrow(ConfigError);
    // A quadratic scan of a million characters takes minutes.
    expect(process.cpuUsage(started).user).toBeLessThan(5_000_000);
  });
});
