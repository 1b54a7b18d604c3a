import { startBroker, type TestBroker } from '@ottla/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isBuilt, runOttla } from './run-ottla.ts';

let kafka: TestBroker;

const ottla = (...args: string[]) => runOttla(args, { bootstrap: kafka.bootstrap });

describe.skipIf(!isBuilt)('how commands end', () => {
  beforeAll(async () => {
    kafka = await startBroker({ topics: { orders: 1 } });
  });
  afterAll(() => kafka.close());

  test.each([
    ['log-dirs move orders x /data', '"x" is not a whole number'],
    ['topics elect-leaders', 'Name the topics, or give --all-topics'],
    ['topics reassign orders 0', 'Give the brokers, separated by commas, or --cancel'],
    ['topics reassign orders 0 a,b', '"a" is not a whole number'],
    ['produce orders -X linger.ms=-1', 'lingerMs "-1" is not an integer from 0 to 2147483647'],
  ])('%s: what makes no sense is one line, with exit code 1', async (args, line) => {
    expect(await ottla(...args.split(' '))).toEqual({ code: 1, stdout: '', stderr: `ottla: ${line}\n` });
  });

  test('rights that are missing end with 4, also for one of several things', async () => {
    kafka.faults.fail('DeleteTopics', 'TOPIC_AUTHORIZATION_FAILED');
    expect(await ottla('topics', 'delete', 'orders')).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/^ottla: TOPIC_AUTHORIZATION_FAILED: .*"orders"\)\n$/) as string,
    });
    expect(await ottla('topics', 'delete', 'nope')).toMatchObject({ code: 1 });
  });

  test('consume up to the end says how far it is when that takes long', async () => {
    await kafka.createTopic('long', 2);
    await kafka.produce('long', ['a', 'b', 'c']);
    kafka.faults.delay('Fetch', 2_500);
    const { code, stdout, stderr } = await ottla('consume', 'long', '-o', 'beginning', '-e', '--grep', 'b');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'b\n' });
    expect(stderr).toMatch(/^0 of 3 offsets read, 0 printed\n/);
  });
});
