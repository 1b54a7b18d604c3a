import { ErrorCodes } from '@ottla/protocol';
import { expect, test } from 'vitest';
import { AlterConfigOp } from '../../src/controller/controller.ts';
import type { LocalController } from '../../src/controller/local-controller.ts';
import { newDisk, newTopic, openController } from './controller-harness.ts';

/** Kafka's bound for what one request may write, and its words for more (seen with 4.3.1). */
const LIMIT = 10_000;
const TOO_LARGE = 'Unable to perform excessively large batch operation.';

/** Sets one config of each of so many groups; the error codes and messages that came of it. */
async function setGroupConfigs(
  controller: LocalController,
  count: number,
  { isLegacy = false, value = '46000' } = {},
): Promise<Set<string>> {
  const name = 'consumer.session.timeout.ms';
  const groups = Array.from({ length: count }, (_, i) => ({ resourceType: 32, resourceName: `g${i}` }));
  const results = isLegacy
    ? await controller.legacyAlterConfigs(
        groups.map((group) => ({ ...group, configs: [{ name, value }] })),
        false,
      )
    : await controller.incrementalAlterConfigs(
        groups.map((group) => ({ ...group, operations: [{ name, operation: AlterConfigOp.set, value }] })),
        false,
      );
  expect(results).toHaveLength(count);
  return new Set(results.map(({ errorCode, errorMessage }) => `${errorCode} ${errorMessage}`));
}

test.each([{ isLegacy: false }, { isLegacy: true }])(
  'configs of more resources than one batch holds are refused as a whole, legacy $isLegacy',
  async ({ isLegacy }) => {
    const controller = await openController(newDisk(1));
    expect(await setGroupConfigs(controller, LIMIT + 1, { isLegacy })).toEqual(
      new Set([`${ErrorCodes.POLICY_VIOLATION} ${TOO_LARGE}`]),
    );
    expect(controller.metadata.current().configs.get(32, 'g0').size).toBe(0);
    expect(await setGroupConfigs(controller, LIMIT, { isLegacy })).toEqual(new Set(['0 null']));
    expect(controller.metadata.current().configs.get(32, 'g0').size).toBe(1);
  },
);

test('topics whose records are more than one batch holds are refused as a whole, validated only or not', async () => {
  const controller = await openController(newDisk(3));
  for (const validateOnly of [true, false]) {
    const results = await controller.createTopics({
      topics: [newTopic('a', { numPartitions: LIMIT - 1 }), newTopic('b')],
      validateOnly,
    });
    for (const { errorCode, errorMessage } of results)
      expect([errorCode, errorMessage]).toEqual([ErrorCodes.POLICY_VIOLATION, TOO_LARGE]);
  }
  expect(controller.metadata.current().topics.byName.size).toBe(0);
});

test('a negative partition count does not make up for another that is too large', async () => {
  const controller = await openController(newDisk(4));
  const results = await controller.createTopics({
    topics: [newTopic('a', { numPartitions: 20_000 }), newTopic('b', { numPartitions: -15_000 })],
    validateOnly: true,
  });
  for (const { errorCode, errorMessage } of results) {
    expect(errorCode).toBe(ErrorCodes.POLICY_VIOLATION);
    expect(errorMessage).toBe('Excessively large number of partitions per request.');
  }
});

test('quotas and credentials beyond one batch are refused as Kafka refuses them', async () => {
  const controller = await openController(newDisk(5));
  const names = Array.from({ length: LIMIT + 1 }, (_, i) => `u${i}`);
  const quotas = await controller.alterClientQuotas({
    entries: names.map((name) => ({
      entity: new Map([['user', name]]),
      operations: [{ key: 'producer_byte_rate', value: 1000 }],
    })),
    unresolvable: new Set(),
    validateOnly: false,
  });
  expect(new Set(quotas.map(({ errorCode }) => errorCode))).toEqual(new Set([ErrorCodes.POLICY_VIOLATION]));
  const secret = Buffer.from('secret');
  const credentials = await controller.alterScramCredentials({
    deletions: [],
    upsertions: names.map((user) => ({
      user,
      mechanism: 1,
      iterations: 4096,
      salt: secret,
      saltedPassword: secret,
    })),
  });
  expect(new Set(credentials.map(({ errorCode }) => errorCode))).toEqual(
    new Set([ErrorCodes.UNKNOWN_SERVER_ERROR]),
  );
  const { clientQuotas, scramCredentials } = controller.metadata.current();
  expect([clientQuotas.size, scramCredentials.size]).toEqual([0, 0]);
});

test('creating many topics does not compare each name with all that there are', async () => {
  const controller = await openController(newDisk(6));
  const createMany = (from: number) =>
    controller.createTopics({
      topics: Array.from({ length: LIMIT / 2 }, (_, i) => newTopic(`a_${from + i + 100_000}`)),
      validateOnly: false,
    });
  for (let from = 0; from < 4 * LIMIT; from += LIMIT / 2) await createMany(from);
  const [colliding] = await controller.createTopics({
    topics: [newTopic('a.100000')],
    validateOnly: true,
  });
  expect(colliding?.errorMessage).toBe("Topic 'a.100000' collides with existing topic: a_100000");
}, 20_000);
