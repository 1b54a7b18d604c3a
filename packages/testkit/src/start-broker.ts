import { TestBroker, type TestBrokerOptions } from './test-broker.ts';

/**
 * Starts a broker for a test: the real one, on a free port of 127.0.0.1, in memory unless said otherwise. Resolves when it serves
 * clients and everything asked for is there. Rejects with the broker's ConfigError, with a TypeError for an option that there is none of, or when a seed is refused;
 * nothing is left then.
 *
 * @example
 * await using kafka = await startBroker({ topics: { orders: 3 }, records: { orders: [{ key: 'c-17', value: '12.5' }] } });
 */
export function startBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  return TestBroker.start(options);
}
