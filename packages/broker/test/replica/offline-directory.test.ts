import { SeededRandom, SimClock, SimDisk } from '@ottla/platform';
import { encodeBatch, ErrorCodes } from '@ottla/protocol';
import { expect, test } from 'vitest';
import type { MetadataDelta, MetadataImage } from '../../src/metadata/image.ts';
import type { Partition } from '../../src/replica/partition.ts';
import type { ReplicaManager } from '../../src/replica/replica-manager.ts';
import { fixedImage, T1_ID, withTopic } from '../coordinator/group/fixed-metadata.ts';
import { openReplicas } from '../coordinator/simulated-replicas.ts';

/** The image with another topic in the place of `t1`. */
function withNamesake(image: MetadataImage): MetadataImage {
  const next = withTopic(image, 't1', 3);
  const byId = new Map(next.topics.byId);
  byId.delete(T1_ID);
  return { ...next, topics: { ...next.topics, byId } };
}

/** A disk with two log directories, to be opened again and again. */
function twoDirectories(image: () => MetadataImage): {
  readonly disk: SimDisk;
  readonly open: () => Promise<ReplicaManager>;
} {
  const clock = new SimClock();
  const delay = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const disk = new SimDisk({ random: new SeededRandom(1), clock, delay });
  const metadata = { current: image, subscribe: () => {} };
  const random = new SeededRandom(2);
  return { disk, open: () => openReplicas({ disk, clock, random, metadata, dirs: ['/a', '/b'] }) };
}

const APPEND = { acks: -1, timeoutMs: Number.POSITIVE_INFINITY, origin: 'client' } as const;

function hosted(replicas: ReplicaManager, topic: string, partition: number): Partition {
  const found = replicas.partition(topic, partition);
  if (typeof found === 'number') throw new Error(`${topic}-${partition} is not hosted: ${found}`);
  return found;
}

test('a start without one of the directories leaves its partitions offline, and makes no empty logs in their place', async () => {
  let image = fixedImage(1);
  const { disk, open } = twoDirectories(() => image);
  const partitions = [0, 1, 2];
  const append = (replicas: ReplicaManager, topic: string, partition: number) =>
    replicas.append({ topic, partition, records: encodeBatch({ records: [{ value: null }] }) }, APPEND);

  let replicas = await open();
  for (const partition of partitions) await append(replicas, 't1', partition);
  const homes = partitions.map((partition) => hosted(replicas, 't1', partition).log!.parentDir);
  expect(new Set(homes)).toEqual(new Set(['/a', '/b']));
  disk.crash();

  disk.inject({ operation: 'open', path: '/b/.lock', code: 'EIO' });
  replicas = await open();
  expect(replicas.logManager.directoryState('/b')).toBe('offline');
  for (const partition of partitions) {
    const { errorCode } = await append(replicas, 't1', partition);
    expect(errorCode).toBe(homes[partition] === '/a' ? ErrorCodes.NONE : ErrorCodes.KAFKA_STORAGE_ERROR);
  }
  // What is created now has its records nowhere else.
  image = withTopic(image, 't2', 1);
  const t2 = image.topics.byName.get('t2')!;
  const delta = {
    deletedTopics: new Map(),
    changedTopicIds: new Set([t2.id, T1_ID]),
    changedConfigs: new Set(),
  };
  replicas.onMetadataChange(delta as unknown as MetadataDelta, image);
  expect((await append(replicas, 't2', 0)).errorCode).toBe(ErrorCodes.NONE);
  disk.crash();

  replicas = await open();
  expect(replicas.logManager.directoryState('/b')).toBe('online');
  for (const partition of partitions) {
    const { log } = hosted(replicas, 't1', partition);
    expect([log!.parentDir, log!.logEndOffset]).toEqual([
      homes[partition],
      homes[partition] === '/a' ? 2 : 1,
    ]);
  }
});

test('a log of a deleted topic of the same name is no reason to begin anew while a directory is missing', async () => {
  let image = fixedImage(1);
  const { disk, open } = twoDirectories(() => image);
  const home = hosted(await open(), 't1', 0).log!.parentDir;
  disk.crash();

  image = withNamesake(image);
  disk.inject({ operation: 'open', path: `${home === '/a' ? '/b' : '/a'}/.lock`, code: 'EIO' });
  let replicas = await open();
  expect(replicas.logManager.hasOfflineDirectory).toBe(true);
  expect(hosted(replicas, 't1', 0).log).toBeNull();
  disk.crash();

  // With all of them there, it is what it seemed to be: left over.
  replicas = await open();
  expect(hosted(replicas, 't1', 0).log).toMatchObject({ topicId: image.topics.byName.get('t1')!.id });
});
