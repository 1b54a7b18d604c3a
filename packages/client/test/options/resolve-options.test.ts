import { afterEach, describe, expect, test, vi } from 'vitest';
import { OptionError, type ClientOptions } from '../../src/index.ts';
import { resolveOptions } from '../../src/options/resolve-options.ts';

afterEach(() => vi.unstubAllEnvs());

describe('client options', () => {
  test("defaults are Kafka's", () => {
    vi.stubEnv('KAFKA_BROKERS', '');
    vi.stubEnv('KAFKA_BOOTSTRAP_SERVERS', '');
    expect(resolveOptions({})).toMatchObject({
      bootstrap: [{ host: 'localhost', port: 9092 }],
      requestTimeoutMs: 30_000,
      defaultApiTimeoutMs: 60_000,
      connectionSetupTimeoutMs: 10_000,
      reconnectBackoffMs: 50,
      retryBackoffMs: 100,
      metadataMaxAgeMs: 300_000,
      connectionsMaxIdleMs: 540_000,
      metadataRecoveryStrategy: 'rebootstrap',
      tls: null,
      sasl: null,
    });
  });

  test.each([
    ['a', [{ host: 'a', port: 9092 }]],
    [
      'a:1, b:2',
      [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
      ],
    ],
    [
      ['SASL_SSL://a.example:9094', '[::1]:9092'],
      [
        { host: 'a.example', port: 9094 },
        { host: '::1', port: 9092 },
      ],
    ],
  ])('addresses %j', (bootstrap, expected) => {
    expect(resolveOptions({ bootstrap }).bootstrap).toEqual(expected);
  });

  test('the environment gives addresses and credentials together, never credentials to an address of the program', () => {
    vi.stubEnv('KAFKA_BROKERS', 'cluster:9094');
    vi.stubEnv('KAFKA_SECURITY_PROTOCOL', 'SASL_SSL');
    vi.stubEnv('KAFKA_SASL_MECHANISM', 'PLAIN');
    vi.stubEnv('KAFKA_SASL_USERNAME', 'ada');
    vi.stubEnv('KAFKA_SASL_PASSWORD', 'pencil');
    const own = resolveOptions({ bootstrap: undefined, clientId: 'c' });
    expect(own).toMatchObject({ bootstrap: [{ host: 'cluster', port: 9094 }], tls: {}, clientId: 'c' });
    expect(own.sasl?.mechanism).toBe('PLAIN');
    expect(resolveOptions({ tls: false }).tls).toBeNull();
    expect(resolveOptions({ bootstrap: 'elsewhere' })).toMatchObject({ tls: null, sasl: null });
    vi.stubEnv('KAFKA_SASL_PASSWORD', '');
    expect(() => resolveOptions({})).toThrow('sasl.password');
  });

  test.each<[ClientOptions, string]>([
    [{ bootstrap: '' }, 'bootstrap is empty'],
    [{ bootstrap: [] }, 'bootstrap is empty'],
    [{ bootstrap: 'a:99999' }, '"a:99999"'],
    [{ bootstrap: 'a b:1' }, 'host:port'],
    [{ requestTimeoutMs: 0 }, 'requestTimeoutMs "0"'],
    [{ retryBackoffMs: 1.5 }, 'retryBackoffMs "1.5"'],
    [{ metadataRecoveryStrategy: 'maybe' as 'none' }, '"maybe"'],
  ])('%j is refused: names the option and what is allowed', (options, text) => {
    expect(() => resolveOptions(options)).toThrow(OptionError);
    expect(() => resolveOptions(options)).toThrow(text);
  });
});
