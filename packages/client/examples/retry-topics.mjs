/**
 * A payment that fails at first is tried again after a second, one that cannot succeed goes to the dead-letter topic, and neither holds
 * up the others. Run it against any Kafka: KAFKA_BROKERS=localhost:9092 node retry-topics.mjs
 */
import { connect, serde, topic } from '@ottla/client';

class CardExpired extends Error {}

const payments = topic('payments', { key: serde.string, value: serde.json(), partitions: 3 });
const ottla = connect();
await ottla.admin().topics.ensure(payments);
await ottla.producer().sendMany(payments, [
  { key: 'ada', value: { total: 12, card: 'flaky' } },
  { key: 'bob', value: { total: 7, card: 'expired' } },
  { key: 'eve', value: { total: 3, card: 'good' } },
]);

let open = 3;
const retrying = ottla.retryingConsumer(payments, {
  group: 'billing',
  from: 'earliest',
  backOff: { delayMs: 1_000, multiplier: 2 },
  exclude: [CardExpired],
});

function settle(text) {
  console.log(text);
  open -= 1;
  if (open === 0) void retrying.close();
}

await retrying.each(
  ({ key, value }, { attempt }) => {
    if (value.card === 'expired') throw new CardExpired('12/25');
    if (value.card === 'flaky' && attempt === 1) throw new Error('the bank does not answer');
    settle(`${key} has paid ${value.total} at attempt ${attempt}`);
  },
  ({ key }, { failure }) => settle(`${key} cannot pay: ${failure.message}`),
);
await ottla.close();
