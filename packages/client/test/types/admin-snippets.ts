/** What users write, compiled by types.test.ts: the examples of the README and of the docs must stay valid. */
import {
  connect,
  isKafkaError,
  serde,
  topic,
  type KafkaError,
  type KeyOf,
  type Serde,
  type StandardSchema,
  type Topic,
  type ValueOf,
} from '@ottla/client';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function assert<_T extends true>(): void {}

declare const Order: StandardSchema<{ id: string; total: number | string }, { id: string; total: number }>;

const orders = topic('orders', {
  key: serde.string,
  value: serde.json(Order),
  partitions: 6,
  replicationFactor: 1,
});
assert<Equal<KeyOf<typeof orders>, string>>();
assert<Equal<ValueOf<typeof orders>, { id: string; total: number }>>();

const lines = topic('lines');
assert<Equal<typeof lines, Topic<string | null, string>>>();

const counts = topic('word-counts', { key: serde.string, value: serde.int64 });
assert<Equal<ValueOf<typeof counts>, bigint>>();

const plain = topic('plain', { value: serde.json<{ total: number }>() });
assert<Equal<KeyOf<typeof plain>, string | null>>();
assert<Equal<ValueOf<typeof plain>, { total: number }>>();

const tombstones = topic('compacted', { key: serde.int32, value: serde.nullable(serde.bytes) });
assert<Equal<ValueOf<typeof tombstones>, Buffer | null>>();

// @ts-expect-error a serde of numbers is none of strings
export const wrong: Serde<string> = serde.int32;

// @ts-expect-error int64 takes a bigint
serde.int64.serialize(5, { topic: 't', part: 'value' });

// @ts-expect-error an unknown option
topic('t', { keys: serde.string });

/** The example of the README and of FACE.md. */
export async function adminExample(): Promise<void> {
  await using ottla = connect();
  await ottla.ready({ timeoutMs: 5_000, signal: AbortSignal.timeout(5_000) });
  await using admin = ottla.admin();

  const { created } = await admin.topics.ensure(orders);
  console.log('created', created);
  for (const t of await admin.topics.list()) console.log(t.name, t.partitions);

  const g = await admin.groups.describe('billing');
  console.log(g.state, 'lag', g.lag);

  const plan = await admin.groups.resetOffsets('billing', orders, new Date('2026-11-01'), { dryRun: true });
  for (const p of plan) console.log(`p${p.partition}: ${p.from} -> ${p.to}`);

  for (const [name, outcome] of await admin.topics.delete(['a', orders])) {
    assert<Equal<typeof outcome, KafkaError | undefined>>();
    console.log(name, outcome?.code);
  }
  await admin.topics.create(orders).catch((error: unknown) => {
    if (!isKafkaError(error, 'TOPIC_ALREADY_EXISTS')) throw error;
    console.log(error.retriable);
  });
  // @ts-expect-error not a name of Kafka's errors
  isKafkaError(null, 'TOPIC_EXISTS');
}

/** Every way to give the addresses and credentials. */
export function connections(): void {
  connect('a:1,b:2');
  connect(['a:1', 'b:2']);
  connect({ bootstrap: process.env['KAFKA_BROKERS'], clientId: 'billing' });
  connect({
    bootstrap: 'a:1',
    tls: true,
    sasl: { mechanism: 'SCRAM-SHA-512', username: 'u', password: () => 'p' },
  });
  connect({ sasl: { mechanism: 'OAUTHBEARER', token: async () => 'token' } });
  connect({
    sasl: { mechanism: 'GSSAPI', start: () => ({ first: () => Buffer.alloc(0), next: () => null }) },
  });
  // @ts-expect-error a mechanism of one's own needs start()
  connect({ sasl: { mechanism: 'GSSAPI' } });
  // @ts-expect-error PLAIN needs a password
  connect({ sasl: { mechanism: 'PLAIN', username: 'u' } });
}
