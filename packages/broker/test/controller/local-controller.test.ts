import { SeededRandom } from '@ottla/platform';
import type { SimDisk } from '@ottla/platform';
import { ErrorCodes } from '@ottla/protocol';
import { expect, test } from 'vitest';
import { AlterConfigOp } from '../../src/controller/controller.ts';
import type { LocalController } from '../../src/controller/local-controller.ts';
import { essence, METADATA_FOLDER, newDisk, newTopic, openController } from './controller-harness.ts';

async function create(controller: LocalController, ...names: string[]): Promise<number[]> {
  const results = await controller.createTopics({
    topics: names.map((name) => newTopic(name)),
    validateOnly: false,
  });
  return results.map((result) => result.errorCode);
}

test('a restart after a clean stop finds topics, configs and producer ids again', async () => {
  const disk = newDisk(1);
  const first = await openController(disk);
  await create(first, 'a', 'b');
  await first.incrementalAlterConfigs(
    [
      {
        resourceType: 2,
        resourceName: 'a',
        operations: [{ name: 'retention.ms', operation: AlterConfigOp.set, value: '5' }],
      },
    ],
    false,
  );
  const block = await first.allocateProducerIds();
  const before = essence(first.metadata.current());
  await first.shutDown();
  first.close();

  const second = await openController(disk);
  expect(essence(second.metadata.current())).toEqual(before);
  expect((await second.allocateProducerIds()).first).toBe(block.first + block.length);
});

test('every start takes the lead of the partitions with a new leader epoch', async () => {
  const disk = newDisk(2);
  const first = await openController(disk);
  await create(first, 'a');
  const epoch = (controller: LocalController): number =>
    controller.metadata.current().topics.byName.get('a')?.partitions[0]?.leaderEpoch ?? -1;
  expect(epoch(first)).toBe(0);
  first.close();
  const afterKill = await openController(disk);
  expect(epoch(afterKill)).toBe(1);
  await afterKill.shutDown();
  afterKill.close();
  const afterStop = await openController(disk);
  // A clean stop gives up the lead first, which is a change of its own.
  expect(epoch(afterStop)).toBe(3);
  const [partition] = afterStop.metadata.current().topics.byName.get('a')?.partitions ?? [];
  expect(partition).toMatchObject({ leader: 1, isr: [1], elr: [], lastKnownElr: [] });
});

test('commands of one turn see each other and share one sync', async () => {
  const disk = newDisk(3);
  const controller = await openController(disk);
  const results = await Promise.all([
    create(controller, 'a'),
    create(controller, 'a'),
    create(controller, 'b'),
  ]);
  expect(results).toEqual([[ErrorCodes.NONE], [ErrorCodes.TOPIC_ALREADY_EXISTS], [ErrorCodes.NONE]]);
});

test('a full disk refuses a command with the storage error, and the next one is served when there is room', async () => {
  const disk = newDisk(4);
  const controller = await openController(disk);
  disk.setCapacity(disk.usedBytes() + 10);
  await expect(create(controller, 'a')).rejects.toMatchObject({ errorCode: ErrorCodes.KAFKA_STORAGE_ERROR });
  expect(controller.metadata.current().topics.byName.size).toBe(0);
  disk.setCapacity(Infinity);
  expect(await create(controller, 'a')).toEqual([ErrorCodes.NONE]);
  controller.close();
  const again = await openController(disk);
  expect([...again.metadata.current().topics.byName.keys()]).toEqual(['a']);
});

test('after a failed sync nothing is acknowledged any more and the node is told to stop', async () => {
  const disk = newDisk(5);
  const failures: unknown[] = [];
  const controller = await openController(disk, { onFailure: (error) => failures.push(error) });
  disk.inject({ operation: 'datasync', path: METADATA_FOLDER, code: 'EIO' });
  await expect(create(controller, 'a')).rejects.toMatchObject({ code: 'EIO' });
  await expect(create(controller, 'b')).rejects.toMatchObject({ code: 'EIO' });
  expect(failures).toHaveLength(1);
  expect(controller.metadata.current().topics.byName.size).toBe(0);
});

test('a start after a failed sync does not count on what only the page cache has', async () => {
  for (let seed = 0; seed < 40; seed++) {
    const disk = newDisk(seed);
    const controller = await openController(disk);
    await create(controller, 'kept');
    disk.inject({ operation: 'datasync', path: METADATA_FOLDER, code: 'EIO' });
    const long = Array.from({ length: 20 }, (_, index) => `unanswered-${index}-${'x'.repeat(60)}`);
    await expect(create(controller, ...long)).rejects.toMatchObject({ code: 'EIO' });
    disk.crash();
    const next = await openController(disk);
    await create(next, 'acknowledged');
    disk.cutPower();
    const { topics } = (await openController(disk)).metadata.current();
    for (const name of ['kept', 'acknowledged']) expect(topics.byName.has(name), `seed ${seed}`).toBe(true);
  }
});

test('a command that waits for room in a round is refused with the others when the log fails meanwhile', async () => {
  const disk = newDisk(6);
  const controller = await openController(disk);
  disk.inject({ operation: 'datasync', path: METADATA_FOLDER, code: 'EIO' });
  const large = controller.createTopics({
    topics: [newTopic('a', { numPartitions: 5_000 }), newTopic('b', { numPartitions: 4_998 })],
    validateOnly: false,
  });
  const waiting = create(controller, 'c');
  await expect(large).rejects.toMatchObject({ code: 'EIO' });
  await expect(waiting).rejects.toMatchObject({ code: 'EIO' });
});

test('a listener that fails does not keep the others from a change, nor the caller from the reply', async () => {
  const controller = await openController(newDisk(8));
  const seen: string[] = [];
  controller.metadata.subscribe({
    onMetadataChange() {
      throw new Error('listener');
    },
  });
  controller.metadata.subscribe({
    onMetadataChange(delta, image) {
      for (const id of delta.changedTopicIds) seen.push(image.topics.byId.get(id)?.name ?? '');
    },
  });
  expect(await create(controller, 'a')).toEqual([ErrorCodes.NONE]);
  expect(seen).toEqual(['a']);
});

test('damage in the middle of the log is reported with its place, and nothing is cut off', async () => {
  const disk = newDisk(6);
  const controller = await openController(disk);
  await create(controller, 'a');
  await create(controller, 'b');
  controller.close();
  const path = `${METADATA_FOLDER}/00000000000000000000.log`;
  const size = disk.sizeSync(path);
  disk.flipBit(path, 300, 2);
  await expect(openController(disk)).rejects.toThrow(/is damaged at position 91 \(offset 1\)/);
  expect(disk.sizeSync(path)).toBe(size);
});

test('snapshots replace what they contain: two of them stay, with the log behind the older one', async () => {
  const disk = newDisk(7);
  const controller = await openController(disk, { snapshotIntervalBytes: 2_000 });
  for (let index = 0; index < 60; index += 1) await create(controller, `topic-${index}`);
  const names = disk.listSync(METADATA_FOLDER);
  expect(names.filter((name) => name.endsWith('.checkpoint'))).toHaveLength(2);
  expect(names.filter((name) => name.endsWith('.log'))).toHaveLength(2);
  controller.close();
  const again = await openController(disk);
  expect(again.metadata.current().topics.byName.size).toBe(60);
});

/** One random command; resolves when it was acknowledged. */
async function randomCommand(controller: LocalController, random: SeededRandom): Promise<void> {
  const name = `topic-${random.nextInt(12)}`;
  switch (random.nextInt(6)) {
    case 0:
    case 1:
      await controller.createTopics({
        topics: [
          newTopic(name, { numPartitions: 1 + random.nextInt(4), configs: [{ name: 'k', value: 'v' }] }),
        ],
        validateOnly: false,
      });
      return;
    case 2:
      await controller.deleteTopics({ topics: [{ name, id: null }] });
      return;
    case 3:
      await controller.createPartitions({
        topics: [{ name, count: 5, assignments: null }],
        validateOnly: false,
      });
      return;
    case 4: {
      const operation = random.nextInt(2) === 0 ? AlterConfigOp.set : AlterConfigOp.delete;
      const operations = [{ name: `key-${random.nextInt(3)}`, operation, value: String(random.nextInt(9)) }];
      await controller.incrementalAlterConfigs([{ resourceType: 2, resourceName: name, operations }], false);
      return;
    }
    default:
      await controller.allocateProducerIds();
  }
}

type Ending = (controller: LocalController, disk: SimDisk) => Promise<void>;

const endings: readonly Ending[] = [
  async (controller) => {
    await controller.shutDown();
    controller.close();
  },
  async (_controller, disk) => disk.crash(),
  async (_controller, disk) => disk.cutPower(),
];

test.each([11, 12, 13, 14, 15, 16, 17, 18])(
  'seed %i: stops, kills and power cuts lose nothing that was acknowledged, with snapshots in between',
  async (seed) => {
    const random = new SeededRandom(seed);
    const disk = newDisk(seed);
    const options = { snapshotIntervalBytes: 3_000, segmentBytes: 2_000 };
    let controller = await openController(disk, options);
    for (let life = 0; life < 6; life += 1) {
      for (let step = 0; step < 15; step += 1) {
        const together = 1 + random.nextInt(3);
        await Promise.all(Array.from({ length: together }, () => randomCommand(controller, random)));
      }
      const acknowledged = essence(controller.metadata.current());
      await endings[random.nextInt(endings.length)]?.(controller, disk);
      controller = await openController(disk, options);
      expect(essence(controller.metadata.current())).toEqual(acknowledged);
    }
  },
);
