import { SimClock } from '@ottla/platform';
import { expect, test } from 'vitest';
import { KafkaError, type Consumer, type Message, type Producer } from '../../src/index.ts';
import { SerialQueue, TransactionalHandOver } from '../../src/retry-topics/transactional-hand-over.ts';

/** A hand-over whose transactions and commits are kept, in the order in which they were made. */
function handOver(failures: Error[] = [], commitFailures: Error[] = []) {
  const events: string[] = [];
  const clock = new SimClock();
  const transaction = {
    send: (topic: string) => {
      events.push(`send ${topic}`);
      return Promise.resolve();
    },
    sendOffsets: ([{ offset }]: [{ offset: number }]) => {
      const failure = failures.shift();
      events.push(failure === undefined ? `offset ${offset}` : failure.name);
      return failure === undefined ? Promise.resolve() : Promise.reject(failure);
    },
  };
  const producer = {
    transaction: (body: (tx: typeof transaction) => Promise<void>) => body(transaction),
  } as unknown as Producer;
  const consumer = {
    groupMetadata: {},
    commit: (offsets: { partition: number; offset: number }[]) => {
      events.push(`commit ${offsets.map(({ partition, offset }) => `${partition}:${offset}`).join(' ')}`);
      const failure = commitFailures.shift();
      return failure === undefined ? Promise.resolve() : Promise.reject(failure);
    },
  } as unknown as Consumer;
  const made = new TransactionalHandOver({
    producer,
    queue: new SerialQueue(),
    listener: {},
    clock,
    commitIntervalMs: 1_000,
    retryBackoffMs: 100,
  });
  made.start(consumer);
  return { made, events, clock };
}

function message(offset: number, partition = 0): Message {
  return { topic: 't', partition, offset, leaderEpoch: 0 } as Message;
}

const next = { topic: 't-retry', record: { key: null, value: null } };
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('what is done is committed now and then, once, and never what a transaction has brought', async () => {
  const { made, events, clock } = handOver();
  for (const each of [message(0), message(7, 1), message(1)]) {
    made.begin(each);
    made.done(each);
  }
  const failed = message(2);
  made.begin(failed);
  await made.give(failed, next);
  clock.advance(1_000);
  await turn();
  clock.advance(1_000);
  await turn();
  expect(events).toEqual(['send t-retry', 'offset 3', 'commit 1:8']);
  made.stop();
});

test('before a partition is given up what is done of it is committed', async () => {
  const { made, events } = handOver();
  for (const each of [message(0), message(7, 1)]) {
    made.begin(each);
    made.done(each);
  }
  await made.listener.onRevoked!([{ topic: 't', partition: 1 }]);
  expect(events).toEqual(['commit 1:8']);
  made.stop();
});

test('what could not be committed when its partition was given up is not committed later', async () => {
  const { made, events, clock } = handOver([], [new KafkaError('REBALANCE_IN_PROGRESS', 'late')]);
  for (const each of [message(0), message(7, 1)]) {
    made.begin(each);
    made.done(each);
  }
  await made.listener.onRevoked!([{ topic: 't', partition: 1 }]);
  clock.advance(1_000);
  await turn();
  expect(events).toEqual(['commit 1:8', 'commit 0:1']);
  made.stop();
});

test('what was in hand when its partition got lost is neither committed nor handed on', async () => {
  const { made, events, clock } = handOver();
  const [good, bad, other] = [message(0), message(1), message(5, 1)];
  for (const each of [good, bad, other]) made.begin(each);
  await made.listener.onLost!([{ topic: 't', partition: 0 }]);
  made.done(good);
  await made.give(bad, next);
  made.done(other);
  clock.advance(1_000);
  await turn();
  expect(events).toEqual(['commit 1:6']);
  made.stop();
});

test('offsets that the group refuses in the middle of a rebalance are sent again, other refusals are not', async () => {
  const refusal = new KafkaError('ILLEGAL_GENERATION', 'moved');
  const { made, events, clock } = handOver([refusal, new KafkaError('PRODUCER_FENCED', 'gone')]);
  const failed = message(0);
  made.begin(failed);
  const given = made.give(failed, next);
  await turn();
  clock.advance(100);
  await expect(given).rejects.toThrow('gone');
  expect(events).toEqual(['send t-retry', 'ILLEGAL_GENERATION', 'send t-retry', 'PRODUCER_FENCED']);
  made.stop();
});
