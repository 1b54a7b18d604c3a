import { startBroker } from '@ottla/testkit';
import { expect, test } from 'vitest';
import { connect } from '../src/index.ts';

test('a handle that is closed lets handlers send what they are about to', async () => {
  await using kafka = await startBroker({ topics: { from: 1, to: 1 }, records: { from: ['a'] } });
  const ottla = connect(kafka.bootstrap);
  const producer = ottla.producer();
  const consumer = ottla.consumer('from', { group: 'g', from: 'earliest' });
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const each = consumer.each(async ({ value }) => {
    begin();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await producer.send('to', { value });
  });
  await begun;
  await ottla.close();
  await each;
  expect((await kafka.records('to')).map(({ value }) => value)).toEqual(['a']);
  await using again = connect(kafka.bootstrap);
  expect(await again.admin().groups.offsets('g')).toMatchObject([{ topic: 'from', offset: 1 }]);
});

test('a handle that is closed lets the dead letter of a last record go', async () => {
  await using kafka = await startBroker({ topics: { from: 1, dead: 1 }, records: { from: ['a'] } });
  const ottla = connect(kafka.bootstrap);
  const consumer = ottla.consumer('from', { group: 'g', from: 'earliest', onError: { deadLetter: 'dead' } });
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const each = consumer.each(async () => {
    begin();
    await new Promise((resolve) => setTimeout(resolve, 100));
    throw new Error('no use');
  });
  await begun;
  await ottla.close();
  await each;
  expect((await kafka.records('dead')).map(({ value }) => value)).toEqual(['a']);
});
