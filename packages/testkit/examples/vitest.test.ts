import { connect, serde, topic } from '@ottla/client';
import { startBroker } from '@ottla/testkit';
import { expect, test } from 'vitest';

const orders = topic('orders', { key: serde.string, value: serde.json<{ total: number }>() });

test('an order is read as it was written', async () => {
  await using kafka = await startBroker({
    topics: { orders: 3 },
    records: { orders: [{ key: 'c-17', value: { total: 12.5 } }] },
  });
  await using ottla = connect(kafka.bootstrap);
  for await (const message of ottla.consumer(orders, { group: 'billing', from: 'earliest' })) {
    expect(message.value.total).toBe(12.5);
    break;
  }
});
