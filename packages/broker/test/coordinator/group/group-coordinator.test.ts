import { SeededRandom, SILENT_LOGGER, SimClock } from '@ottla/platform';
import { ErrorCodes, readBatchSummary } from '@ottla/protocol';
import { expect, it } from 'vitest';
import { GroupCoordinator } from '../../../src/coordinator/group/group-coordinator.ts';
import { DEFAULT_GROUP_COORDINATOR_CONFIG } from '../../../src/coordinator/group/group-coordinator-config.ts';
import type {
  CommitCommand,
  FetchOffsetsQuery,
} from '../../../src/coordinator/group/offsets/offset-types.ts';
import { fixedMetadata, T1_ID } from './fixed-metadata.ts';
import { MemoryLog } from './memory-log.ts';

function coordinator(log: MemoryLog, partitions = 1): GroupCoordinator {
  const groups = new GroupCoordinator({
    nodeId: 1,
    config: DEFAULT_GROUP_COORDINATOR_CONFIG,
    log,
    metadata: fixedMetadata(partitions),
    clock: new SimClock(),
    random: new SeededRandom(7),
    logger: SILENT_LOGGER,
  });
  groups.start(fixedMetadata(partitions).current());
  return groups;
}

function commit(groupId: string, committedOffset: number): Omit<CommitCommand, 'type'> {
  const partition = { partitionIndex: 0, committedOffset, committedLeaderEpoch: -1, committedMetadata: null };
  return {
    groupId,
    generationId: -1,
    memberId: '',
    groupInstanceId: null,
    apiVersion: 9,
    retentionTimeMs: -1,
    producer: null,
    topics: [{ name: 't1', topicId: T1_ID, partitions: [partition] }],
  };
}

async function turn(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

const ALL = (groupId: string): FetchOffsetsQuery => ({
  groupId,
  memberId: null,
  memberEpoch: -1,
  topics: null,
});

it('commits of one loop turn share a batch, and are visible once it is committed', async () => {
  const log = new MemoryLog(() => {});
  const groups = coordinator(log);
  await turn();
  const commits = Array.from({ length: 20 }, (_, i) => groups.commitOffsets(commit(`g${i}`, i)));
  await turn();
  expect(log.pendingCount).toBe(1);
  expect(await groups.fetchOffsets(ALL('g3'), false)).toEqual([]);
  const stable = groups.fetchOffsets(ALL('g3'), true);
  log.settle();
  await Promise.all(commits);
  expect((await stable)[0]?.partitions[0]?.committedOffset).toBe(3);
  expect(readBatchSummary(log.batches.get(0)![0]!, 0).recordCount).toBe(20);
});

it.each([
  [ErrorCodes.NOT_ENOUGH_REPLICAS, ErrorCodes.COORDINATOR_NOT_AVAILABLE],
  [ErrorCodes.NOT_LEADER_OR_FOLLOWER, ErrorCodes.NOT_COORDINATOR],
  [ErrorCodes.KAFKA_STORAGE_ERROR, ErrorCodes.NOT_COORDINATOR],
  [ErrorCodes.MESSAGE_TOO_LARGE, ErrorCodes.UNKNOWN_SERVER_ERROR],
])(
  'an append refused with %i is told to group clients as %i and leaves no offset',
  async (appendError, told) => {
    const log = new MemoryLog(() => {});
    const groups = coordinator(log);
    await turn();
    const refused = expect(groups.commitOffsets(commit('g', 1))).rejects.toMatchObject({ code: told });
    await turn();
    log.settle({ errorCode: appendError, kept: false });
    await refused;
    await turn();
    // A storage error leaves the shard to be loaded again; the others go on.
    if (appendError !== ErrorCodes.KAFKA_STORAGE_ERROR)
      expect(await groups.fetchOffsets(ALL('g'), false)).toEqual([]);
  },
);

it('ten thousand groups survive a restart, and take one record each', async () => {
  const log = new MemoryLog();
  const groups = coordinator(log, 50);
  await turn();
  await Promise.all(Array.from({ length: 10_000 }, (_, i) => groups.commitOffsets(commit(`group-${i}`, i))));
  await groups.close();
  const restarted = coordinator(log, 50);
  await turn();
  const listed = await restarted.listGroups({ states: ['empty'], types: ['Classic'] });
  expect(listed.length).toBe(10_000);
  expect((await restarted.fetchOffsets(ALL('group-4711'), true))[0]?.partitions[0]?.committedOffset).toBe(
    4711,
  );
});

it('what is not served here, or no longer, is NOT_COORDINATOR or COORDINATOR_NOT_AVAILABLE', async () => {
  const groups = coordinator(new MemoryLog());
  await expect(groups.commitOffsets(commit('g', 1))).rejects.toMatchObject({
    code: ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS,
  });
  await turn();
  await groups.close();
  await expect(groups.commitOffsets(commit('g', 1))).rejects.toMatchObject({
    code: ErrorCodes.COORDINATOR_NOT_AVAILABLE,
  });
});
