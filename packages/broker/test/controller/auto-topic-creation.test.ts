import { SILENT_LOGGER } from '@ottla/platform';
import { ErrorCodes } from '@ottla/protocol';
import { expect, test } from 'vitest';
import { AutoTopicCreation } from '../../src/controller/auto-topic-creation.ts';
import type { LocalController } from '../../src/controller/local-controller.ts';
import { newDisk, newTopic, openController } from './controller-harness.ts';

function autoCreation(controller: LocalController): AutoTopicCreation {
  return new AutoTopicCreation({
    controller,
    metadata: controller.metadata,
    logger: SILENT_LOGGER,
    internalTopic: (name) =>
      name === '__consumer_offsets'
        ? { numPartitions: 5, replicationFactor: 3, configs: [{ name: 'cleanup.policy', value: 'compact' }] }
        : undefined,
  });
}

test('a client that asks for a topic is told to come back, and finds it then', async () => {
  const controller = await openController(newDisk(31));
  const creation = autoCreation(controller);
  expect(creation.request('orders')).toBe(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION);
  expect(creation.request('orders')).toBe(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION);
  // A command sent afterwards is answered afterwards.
  const [again] = await controller.createTopics({ topics: [newTopic('orders')], validateOnly: false });
  expect(again?.errorCode).toBe(ErrorCodes.TOPIC_ALREADY_EXISTS);
  expect(controller.metadata.current().topics.byName.get('orders')?.partitions).toHaveLength(1);
});

test('a name that no topic may have is refused at once', async () => {
  const creation = autoCreation(await openController(newDisk(32)));
  expect(creation.request('a b')).toBe(ErrorCodes.INVALID_TOPIC_EXCEPTION);
});

test('the topic of the metadata log is never made, whoever asks', async () => {
  const controller = await openController(newDisk(34));
  const creation = autoCreation(controller);
  expect(creation.request('__cluster_metadata')).toBe(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION);
  const command = { topics: [newTopic('__cluster_metadata')], validateOnly: false };
  const [asked] = await controller.createTopics(command);
  expect(asked?.errorCode).toBe(ErrorCodes.INVALID_REQUEST);
  expect(controller.metadata.current().topics.byName.size).toBe(0);
});

test("a coordinator's topic is made once, with as many replicas as there are brokers", async () => {
  const controller = await openController(newDisk(33));
  const creation = autoCreation(controller);
  const codes = await Promise.all([1, 2, 3].map(() => creation.ensureInternalTopic('__consumer_offsets')));
  expect(codes).toEqual([ErrorCodes.NONE, ErrorCodes.NONE, ErrorCodes.NONE]);
  const { topics, configs } = controller.metadata.current();
  const topic = topics.byName.get('__consumer_offsets');
  expect(topic?.partitions.map(({ replicas }) => replicas)).toEqual([[1], [1], [1], [1], [1]]);
  expect(configs.get(2, '__consumer_offsets').get('cleanup.policy')).toBe('compact');
});
