import { startBroker } from '@ottla/testkit';
import { expect, test } from 'vitest';
import { connect } from '../../src/index.ts';

test('a topic that is not there is said at once when offsets are reset', async () => {
  await using kafka = await startBroker({ topics: { t: 1 } });
  await using ottla = connect(kafka.bootstrap);
  const startedMs = performance.now();
  await expect(ottla.admin().groups.resetOffsets('g', ['nope'], 'earliest')).rejects.toMatchObject({
    name: 'UNKNOWN_TOPIC_OR_PARTITION',
    message: expect.stringContaining('"nope"') as string,
  });
  // A topic that was made a moment ago may not be known to every broker.
  expect(performance.now() - startedMs).toBeLessThan(5_000);
});
