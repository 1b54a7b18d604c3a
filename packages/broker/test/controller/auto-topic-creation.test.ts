import { type Logger, SILENT_LOGGER } from '@ottla/platform';
import { ErrorCodes } from '@ottla/protocol';
import { expect, test } from 'vitest';
import { AutoTopicCreation } from '../../src/controller/auto-topic-creation.ts';
import type { LocalController } from '../../src/controller/local-controller.ts';
import { newDisk, newTopic, openController } from './controller-harness.ts';

function autoCreation(controller: LocalController, logger: Logger = SILENT_LOGGER): AutoTopicCreation {
  return new AutoTopicCreation({
    controller,
    metadata: controller.metadata,
    logger,
    internalTopic: (name) =>
      name === '__consumer_offsets'
        ? {
            numPartitions: 5,
            replicationFactor: 3,
            configs: [
              { name: 'cleanup.policy', value: 'compact' },
              { name: 'min.insync.replicas', value: '2' },
            ],
          }
        : undefined,
  });
}

test('a client that asks for a topic is told to come back, and finds it then', async () => {
  const controller = await openController(newDisk(31));
  const creation = autoCreation(controller);
  expect(creation.request(['orders'])).toEqual([ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION]);
  expect(creation.request(['orders'])).toEqual([ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION]);
  // A command sent afterwards is answered afterwards.
  const [again] = await controller.createTopics({ topics: [newTopic('orders')], validateOnly: false });
  expect(again?.errorCode).toBe(ErrorCodes.TOPIC_ALREADY_EXISTS);
  expect(controller.metadata.current().topics.byName.get('orders')?.partitions).toHaveLength(1);
});

test('a name that no topic may have is refused at once', async () => {
  const creation = autoCreation(await openController(newDisk(32)));
  expect(creation.request(['a b'])).toEqual([ErrorCodes.INVALID_TOPIC_EXCEPTION]);
});

test('the topic of the metadata log is never made, whoever asks', async () => {
  const controller = await openController(newDisk(34));
  const creation = autoCreation(controller);
  expect(creation.request(['__cluster_metadata'])).toEqual([ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION]);
  const command = { topics: [newTopic('__cluster_metadata')], validateOnly: false };
  const [asked] = await controller.createTopics(command);
  expect(asked?.errorCode).toBe(ErrorCodes.INVALID_REQUEST);
  expect(controller.metadata.current().topics.byName.size).toBe(0);
});

test('the topics of one request are one command: more partitions than a command may make are none, and one line is logged', async () => {
  const controller = await openController(newDisk(35));
  const warnings: string[] = [];
  const logger = {
    ...SILENT_LOGGER,
    warn: (_fields: object, message: string) => void warnings.push(message),
  };
  const creation = autoCreation(controller, logger);
  const named = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${prefix}${index}`);
  const refused = creation.request(named('refused', 10_001));
  expect(new Set(refused)).toEqual(new Set([ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION]));
  creation.request(['a b', ...named('made', 300)]);
  await controller.createTopics({ topics: [newTopic('afterwards')], validateOnly: false });
  const { byName } = controller.metadata.current().topics;
  expect([...byName.keys()]).toEqual([...named('made', 300), 'afterwards']);
  expect(warnings).toEqual(['Automatic topic creation was refused']);
});

test("a coordinator's topic is made once, with as many replicas as there are brokers and no more of them in sync", async () => {
  const controller = await openController(newDisk(33));
  const creation = autoCreation(controller);
  const codes = await Promise.all([1, 2, 3].map(() => creation.ensureInternalTopic('__consumer_offsets')));
  expect(codes).toEqual([ErrorCodes.NONE, ErrorCodes.NONE, ErrorCodes.NONE]);
  const { topics, configs } = controller.metadata.current();
  const topic = topics.byName.get('__consumer_offsets');
  expect(topic?.partitions.map(({ replicas }) => replicas)).toEqual([[1], [1], [1], [1], [1]]);
  expect(Object.fromEntries(configs.get(2, '__consumer_offsets'))).toEqual({
    'cleanup.policy': 'compact',
    'min.insync.replicas': '1',
  });
});
