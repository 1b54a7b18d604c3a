import { startBroker, type TestBroker } from '@ottla/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  connect,
  isKafkaError,
  serde,
  topic,
  type Message,
  type Ottla,
  type RetryInfo,
  type RetryingConsumerOptions,
} from '../../src/index.ts';

let kafka: TestBroker;
let ottla: Ottla;
let name: string;
let count = 0;

beforeAll(async () => {
  kafka = await startBroker();
  // One time for all, which the tests push: members, timers and records agree on it.
  ottla = connect({ bootstrap: kafka.bootstrap, clock: kafka.clock });
});
afterAll(async () => {
  await ottla.close();
  await kafka.close();
});
beforeEach(() => {
  count += 1;
  name = `orders-${count}`;
});

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}

/** Values of a topic, in order. */
async function valuesOf(of: string): Promise<(string | null)[]> {
  return (await kafka.records(of)).map(({ value }) => value);
}

/** Pushes the clock in steps that no session minds, until it is so. */
async function pushUntil(isSo: () => boolean | Promise<boolean>, stepMs = 500): Promise<void> {
  for (let turn = 0; !(await isSo()); turn += 1) {
    if (turn % 50 === 49) kafka.clock.advance(stepMs);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const backOff = { delayMs: 5_000, multiplier: 2 };

describe('a record whose handler fails', () => {
  test('goes through the retry topics, waits in each, and ends in the dead-letter topic', async () => {
    await kafka.createTopic(name, 2);
    await kafka.produce(name, {
      key: 'k',
      value: 'bad',
      partition: 1,
      headers: { a: 'b' },
      timestamp: 1_000,
    });
    const attempts: { topic: string; attempt: number; atMs: number }[] = [];
    const dead: { message: Message; info: RetryInfo }[] = [];
    await using retrying = ottla.retryingConsumer(name, { group: name, from: 'earliest', backOff });
    expect(retrying.topics).toEqual([
      { kind: 'main', name, delayMs: 0 },
      { kind: 'retry', name: `${name}-retry-5000`, delayMs: 5_000 },
      { kind: 'retry', name: `${name}-retry-10000`, delayMs: 10_000 },
      { kind: 'dead-letter', name: `${name}-dlt`, delayMs: 0 },
    ]);
    const running = retrying.each(
      (message, { attempt }) => {
        attempts.push({ topic: message.topic, attempt, atMs: kafka.clock.nowMs() });
        throw new TypeError(`attempt ${attempt}`, { cause: new Error('declined') });
      },
      (message, info) => void dead.push({ message, info }),
    );
    await pushUntil(() => dead.length === 1);
    expect(attempts.map(({ topic: at, attempt }) => [at, attempt])).toEqual([
      [name, 1],
      [`${name}-retry-5000`, 2],
      [`${name}-retry-10000`, 3],
    ]);
    const [firstMs, secondMs, thirdMs] = attempts.map(({ atMs }) => atMs) as [number, number, number];
    expect(secondMs - firstMs).toBeGreaterThanOrEqual(5_000);
    expect(thirdMs - secondMs).toBeGreaterThanOrEqual(10_000);
    const [{ message, info }] = dead as [(typeof dead)[0]];
    expect(message).toMatchObject({ topic: `${name}-dlt`, partition: 1, key: 'k', value: 'bad' });
    expect(message.header('a')).toBe('b');
    expect(info.attempt).toBe(4);
    expect(info.origin).toEqual({ topic: name, partition: 1, offset: 0, timestamp: 1_000 });
    expect(info.failure).toMatchObject({ name: 'TypeError', message: 'attempt 3; declined' });
    expect(info.failure!.stack).toContain('retrying-consumer.test.ts');
    await retrying.close();
    await running;
  });

  test('does not hold up the records behind it, and is handled well the second time', async () => {
    await kafka.createTopic(name);
    await kafka.produce(name, ['bad', 'good', 'better']);
    const handled: string[] = [];
    await using retrying = ottla.retryingConsumer(name, { group: name, from: 'earliest', backOff });
    const running = retrying.each(({ value }, { attempt }) => {
      if (value === 'bad' && attempt === 1) throw new Error('not yet');
      handled.push(value);
    });
    await until(() => handled.length === 2);
    expect(handled).toEqual(['good', 'better']);
    await pushUntil(() => handled.length === 3);
    expect(handled).toEqual(['good', 'better', 'bad']);
    await retrying.close();
    await running;
    expect(await valuesOf(`${name}-dlt`)).toEqual([]);
    await using admin = ottla.admin();
    for (const suffix of ['', '-retry-5000'])
      expect((await admin.groups.describe(name + suffix)).lag).toBe(0);
  });

  test('goes straight to the dead-letter topic when another attempt makes no sense', async () => {
    const orders = topic(name, { value: serde.json<{ total: number }>() });
    await kafka.createTopic(name);
    await kafka.produce(name, ['{ no json', '{"total":1}', '{"total":2}']);
    const options: RetryingConsumerOptions = { group: name, from: 'earliest', exclude: [RangeError] };
    await using retrying = ottla.retryingConsumer(orders, options);
    const dead: string[] = [];
    const running = retrying.each(
      ({ value }) => {
        if (value.total === 1) throw new Error('wrapped', { cause: new RangeError('too little') });
      },
      (message, { failure }) => void dead.push(`${message.valueBytes!.toString()} ${failure!.name}`),
    );
    await until(() => dead.length === 2);
    expect(dead).toEqual(['{ no json SERDE_FAILED', '{"total":1} Error']);
    await retrying.close();
    await running;
    expect(await valuesOf(`${name}-retry`)).toEqual([]);
  });

  test('goes to the dead-letter topic when it is too old for another attempt', async () => {
    await kafka.createTopic(name);
    await kafka.produce(name, { value: 'old', timestamp: kafka.clock.nowMs() - 60_000 });
    await using retrying = ottla.retryingConsumer(name, { group: name, from: 'earliest', timeoutMs: 30_000 });
    const running = retrying.each(() => {
      throw new Error('no');
    });
    await until(() => retrying.consumers.length > 0);
    await until(async () => (await valuesOf(`${name}-dlt`)).length === 1);
    await retrying.close();
    await running;
  });

  test('is left without a dead-letter topic', async () => {
    await kafka.createTopic(name);
    await kafka.produce(name, ['bad', 'good']);
    const options = { group: name, from: 'earliest', attempts: 1, deadLetterStrategy: 'no-dlt' } as const;
    await using retrying = ottla.retryingConsumer(name, options);
    const handled: string[] = [];
    const running = retrying.each(({ value }) => {
      handled.push(value);
      if (value === 'bad') throw new Error('no');
    });
    await until(() => handled.length === 2);
    await retrying.close();
    await running;
    await using admin = ottla.admin();
    expect((await admin.groups.describe(name)).lag).toBe(0);
    expect((await admin.topics.list()).filter((each) => each.name.startsWith(`${name}-`))).toEqual([]);
  });
});

test('a record of a retry topic that waits holds up its partition alone, while the member stays in its group', async () => {
  await kafka.createTopic(name, 2);
  await kafka.createTopic(`${name}-retry`, 2);
  const later = Buffer.alloc(8);
  later.writeBigInt64BE(BigInt(kafka.clock.nowMs() + 600_000));
  const waits = { 'retry_topic-backoff-timestamp': later };
  await kafka.produce(`${name}-retry`, [
    { value: 'late', partition: 0, headers: waits },
    { value: 'behind', partition: 0 },
    { value: 'now', partition: 1 },
  ]);
  await using retrying = ottla.retryingConsumer(name, { group: name, sessionTimeoutMs: 30_000 });
  const handled: string[] = [];
  const running = retrying.each(({ value }) => void handled.push(value));
  await until(() => handled.length === 1);
  const [, retry] = retrying.consumers;
  const { memberId } = retry!.groupMetadata;
  await pushUntil(() => handled.length === 3, 2_000);
  expect(handled).toEqual(['now', 'late', 'behind']);
  expect(retry!.groupMetadata.memberId).toBe(memberId);
  await retrying.close();
  await running;
});

test('a rebalance does not wait for a record whose time has not come', async () => {
  await kafka.createTopic(name, 2);
  await kafka.createTopic(`${name}-retry`, 2);
  const later = Buffer.alloc(8);
  later.writeBigInt64BE(BigInt(kafka.clock.nowMs() + 3_600_000));
  const headers = { 'retry_topic-backoff-timestamp': later };
  await kafka.produce(`${name}-retry`, [
    { value: 'a', partition: 0, headers },
    { value: 'b', partition: 1, headers },
  ]);
  const options = { group: name, heartbeatIntervalMs: 20 };
  await using first = ottla.retryingConsumer(name, options);
  const running = [first.each(() => {})];
  await until(() => first.consumers[1]?.lag().length === 2);
  await using second = ottla.retryingConsumer(name, options);
  running.push(second.each(() => {}));
  await until(
    () => second.consumers[1]?.assignment.length === 1 && first.consumers[1]?.assignment.length === 1,
  );
  await Promise.all([first.close(), second.close(), ...running]);
  await using admin = ottla.admin();
  expect((await admin.groups.describe(`${name}-retry`)).lag).toBe(2);
});

describe('nothing is lost', () => {
  test('a record that cannot be handed on is not committed, and each rejects', async () => {
    await kafka.createTopic(name);
    await kafka.createTopic(`${name}-retry`, { configs: { 'max.message.bytes': '100' } });
    await kafka.produce(name, ['good', 'bad']);
    await using retrying = ottla.retryingConsumer(name, { group: name, from: 'earliest' });
    const error = await retrying
      .each(({ value }) => {
        if (value === 'bad') throw new Error('no');
      })
      .catch((reason: unknown) => reason);
    expect(isKafkaError(error, 'MESSAGE_TOO_LARGE')).toBe(true);
    await using admin = ottla.admin();
    expect((await admin.groups.describe(name)).lag).toBe(1);
  });

  test('what was not acknowledged when the process died is handled by the next one', async () => {
    await kafka.createTopic(name);
    await kafka.produce(name, ['bad']);
    const held = kafka.faults.delay('Produce', 3_600_000);
    // A process that dies sends nothing any more, and no goodbye.
    const victim = connect({ bootstrap: kafka.bootstrap, clock: kafka.clock });
    const doomed = victim.retryingConsumer(name, { group: name, from: 'earliest' });
    const lost = doomed.each(() => {
      throw new Error('no');
    });
    lost.catch(() => {});
    await until(() => held.hits > 0);
    const closing = doomed.close({ timeoutMs: 1 });
    closing.catch(() => {});
    await Promise.allSettled([lost, closing]);
    await victim.close().catch(() => {});
    held.remove();
    await using retrying = ottla.retryingConsumer(name, { group: name, from: 'earliest' });
    const attempts: number[] = [];
    const running = retrying.each((_, { attempt }) => {
      attempts.push(attempt);
      if (attempt === 1) throw new Error('no');
    });
    await pushUntil(() => attempts.includes(2));
    expect(attempts[0]).toBe(1);
    await retrying.close();
    await running;
  });
});

describe('the dead-letter handler', () => {
  test('gets a record again that it fails at, after the last delay', async () => {
    await kafka.createTopic(name);
    await kafka.produce(name, ['bad']);
    await using retrying = ottla.retryingConsumer(name, {
      group: name,
      from: 'earliest',
      attempts: 1,
      backOff,
    });
    const times: number[] = [];
    const running = retrying.each(
      () => Promise.reject(new Error('no')),
      () => {
        times.push(kafka.clock.nowMs());
        if (times.length < 2) throw new Error('not now');
      },
    );
    await pushUntil(() => times.length === 2);
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(5_000);
    await retrying.close();
    await running;
    expect(await valuesOf(`${name}-dlt`)).toEqual(['bad', 'bad']);
  });

  test('fails once with fail-on-error', async () => {
    await kafka.createTopic(name);
    await kafka.produce(name, ['bad', 'worse']);
    const options = {
      group: name,
      from: 'earliest',
      attempts: 1,
      deadLetterStrategy: 'fail-on-error',
    } as const;
    await using retrying = ottla.retryingConsumer(name, options);
    const dead: string[] = [];
    const running = retrying.each(
      () => Promise.reject(new Error('no')),
      ({ value }) => {
        dead.push(value);
        throw new Error('nor here');
      },
    );
    await until(() => dead.length === 2);
    await retrying.close();
    await running;
    expect(await valuesOf(`${name}-dlt`)).toEqual(['bad', 'worse']);
  });
});

describe('with transactions', () => {
  test('the next record and the offset come together, and what was handled well is committed too', async () => {
    await kafka.createTopic(name);
    await kafka.produce(name, ['good', 'bad', 'good', 'bad', 'good']);
    const options = { group: name, from: 'earliest', transactionalId: name } as const;
    await using retrying = ottla.retryingConsumer(name, options);
    const handled: string[] = [];
    const dead: string[] = [];
    const running = retrying.each(
      ({ value }) => {
        handled.push(value);
        if (value === 'bad') throw new Error('no');
      },
      ({ value }) => void dead.push(value),
    );
    await pushUntil(() => dead.length === 2);
    await retrying.close();
    await running;
    expect(handled.filter((value) => value === 'good').length).toBe(3);
    expect(handled.filter((value) => value === 'bad').length).toBe(6);
    await using admin = ottla.admin();
    for (const suffix of ['', '-retry', '-dlt'])
      expect((await admin.groups.describe(name + suffix)).members).toEqual([]);
    expect(await admin.groups.offsets(name)).toMatchObject([{ offset: 5 }]);
  });

  test('a process that dies in the middle leaves neither a second record nor none', async () => {
    await kafka.createTopic(name);
    await kafka.produce(name, ['bad']);
    const options = { group: name, from: 'earliest', transactionalId: name } as const;
    const victim = connect({ bootstrap: kafka.bootstrap, clock: kafka.clock });
    const held = kafka.faults.delay('EndTxn', 3_600_000);
    const doomed = victim.retryingConsumer(name, options);
    const lost = doomed.each(() => Promise.reject(new Error('no'))).catch(() => {});
    // The next record is in the log, its transaction is not decided.
    await until(() => held.hits > 0);
    const closing = doomed.close({ timeoutMs: 1 }).catch(() => {});
    await closing;
    // Its connections are gone: nothing of it reaches the broker any more.
    await victim.close().catch(() => {});
    await lost;
    held.remove();
    const dead: string[] = [];
    await using retrying = ottla.retryingConsumer(name, options);
    const running = retrying.each(
      () => Promise.reject(new Error('no')),
      ({ value }) => void dead.push(value),
    );
    await pushUntil(() => dead.length === 1);
    await retrying.close();
    await running;
    expect(await valuesOf(`${name}-dlt`)).toEqual(['bad']);
    // Three tries, two of them from the retry topic; the first attempt of all was aborted.
    expect(await valuesOf(`${name}-retry`)).toHaveLength(3);
  });
});
