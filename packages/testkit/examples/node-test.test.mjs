// Run it with: node --test packages/testkit/examples/node-test.test.mjs
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect } from '@ottla/client';
import { startBroker } from '@ottla/testkit';

/** @type {import('@ottla/testkit').TestBroker} */
let kafka;
before(async () => {
  kafka = await startBroker({ topics: { orders: 3 } });
});
after(() => kafka.close());

test('a topic that policy forbids is refused with its name', async () => {
  const ottla = connect(kafka.bootstrap);
  kafka.faults.fail('CreateTopics', 'POLICY_VIOLATION');
  await assert.rejects(ottla.admin().topics.create('secrets'), { name: 'POLICY_VIOLATION' });
  await ottla.close();
});

test('what was produced stands in the topic', async () => {
  await kafka.produce('orders', { key: 'c-17', value: { total: 12.5 } });
  const [order] = await kafka.records('orders');
  assert.equal(order?.value, '{"total":12.5}');
});
