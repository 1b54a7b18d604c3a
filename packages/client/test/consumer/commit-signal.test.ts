import { startBroker } from '@ottla/testkit';
import { expect, test } from 'vitest';
import { connect } from '../../src/index.ts';

test('commit: a signal ends the wait for an earlier commit too', async () => {
  await using kafka = await startBroker({ topics: { t: 1 }, records: { t: ['a', 'b'] } });
  await using ottla = connect(kafka.bootstrap);
  await using consumer = ottla.consumer('t', { group: 'g', from: 'earliest', commit: 'manual' });
  for await (const _ of consumer) break;
  const refused = kafka.faults.fail('OffsetCommit', 'COORDINATOR_LOAD_IN_PROGRESS', { times: Infinity });
  const earlier = consumer.commit([{ topic: 't', partition: 0, offset: 1 }]);
  const stop = new AbortController();
  const later = consumer.commit([{ topic: 't', partition: 0, offset: 2 }], { signal: stop.signal }).then(
    () => 'stored',
    (error: Error) => error.message,
  );
  stop.abort(new Error('enough'));
  const late = new Promise((resolve) => setTimeout(() => resolve('nothing'), 2_000));
  expect(await Promise.race([later, late])).toBe('enough');
  refused.remove();
  await earlier;
  // What was given up is not sent after all.
  await consumer.commit([{ topic: 't', partition: 0, offset: 1 }]);
  expect(await consumer.committed()).toMatchObject([{ offset: 1 }]);
});
