import { SeededRandom } from '@ottla/platform';
import { ErrorCodes } from '@ottla/protocol';
import { describe, expect, test } from 'vitest';
import { unregisterBroker } from '../../src/controller/broker-registration.ts';
import type { CommandState } from '../../src/controller/command.ts';
import { electLeaders, ElectionType } from '../../src/controller/elect-leaders.ts';
import { reassignPartitions } from '../../src/controller/reassign-partitions.ts';
import { emptyImage, MetadataImageBuilder } from '../../src/metadata/image-builder.ts';
import type { MetadataImage, PartitionImage } from '../../src/metadata/image.ts';
import { metadataRecord, type MetadataRecord } from '../../src/metadata/records.ts';
import { LENIENT_RULES } from './controller-harness.ts';

const TOPIC_ID = 'abcdefghijklmnopqrstuQ';

interface Partition {
  readonly replicas: number[];
  readonly isr: number[];
  readonly leader: number;
  readonly eligibleLeaderReplicas?: number[];
}

/** A log that a cluster of three brokers wrote, of which broker 1 is left. */
function stateWith(partition: Partition): CommandState {
  const builder = new MetadataImageBuilder(emptyImage('cluster', 1));
  const records = [
    ...[1, 2, 3].map((brokerId) =>
      metadataRecord('RegisterBrokerRecord', {
        brokerId,
        incarnationId: TOPIC_ID,
        brokerEpoch: brokerId,
        fenced: brokerId !== 1,
        logDirs: [TOPIC_ID],
      }),
    ),
    metadataRecord('TopicRecord', { name: 't', topicId: TOPIC_ID }),
    metadataRecord('PartitionRecord', {
      partitionId: 0,
      topicId: TOPIC_ID,
      leaderEpoch: 5,
      partitionEpoch: 0,
      directories: partition.replicas.map(() => TOPIC_ID),
      ...partition,
    }),
  ];
  records.forEach((record, offset) => builder.apply(record, offset));
  return {
    image: builder.build().image,
    nextOffset: records.length,
    random: new SeededRandom(1),
    rules: LENIENT_RULES,
  };
}

function replayed(image: MetadataImage, records: readonly MetadataRecord[]): PartitionImage {
  const builder = new MetadataImageBuilder(image);
  for (const record of records) builder.apply(record, 100);
  return builder.build().image.topics.byName.get('t')!.partitions[0]!;
}

function elect(electionType: number, partition: Partition): [number, PartitionImage] {
  const state = stateWith(partition);
  const { records, reply } = electLeaders(state, {
    electionType,
    topics: [{ topic: 't', partitions: [0] }],
  });
  return [reply[0]!.partitions[0]!.errorCode, replayed(state.image, records)];
}

describe('an election', () => {
  const { preferred, unclean } = ElectionType;

  test('gives the preferred replica the lead again, in a new epoch', () => {
    const [errorCode, after] = elect(preferred, { replicas: [1, 2], isr: [1, 2], leader: 2 });
    expect(errorCode).toBe(ErrorCodes.NONE);
    expect(after).toMatchObject({ leader: 1, leaderEpoch: 6, isr: [1, 2] });
  });

  test.each([
    ['the preferred replica is fenced', preferred, { replicas: [2, 1], isr: [2, 1], leader: 1 }, 80],
    ['the preferred replica is not in sync', preferred, { replicas: [1, 2], isr: [2], leader: 2 }, 80],
    ['the preferred replica leads', preferred, { replicas: [1, 2], isr: [1], leader: 1 }, 84],
    ['somebody leads', unclean, { replicas: [2, 1], isr: [1], leader: 1 }, 84],
    ['no replica is there', unclean, { replicas: [2, 3], isr: [2], leader: -1 }, 83],
  ])('changes nothing when %s', (_, electionType, partition, expected) => {
    const [errorCode, after] = elect(electionType, partition);
    expect(errorCode).toBe(expected);
    expect(after).toMatchObject({ leader: partition.leader, leaderEpoch: 5, partitionEpoch: 0 });
  });

  test('takes a replica that was the last in sync before one that was not', () => {
    const state = { replicas: [1, 2], isr: [], leader: -1, eligibleLeaderReplicas: [1, 2] };
    const [errorCode, after] = elect(unclean, state);
    expect(errorCode).toBe(ErrorCodes.NONE);
    expect(after).toMatchObject({ leader: 1, isr: [1], elr: [2], leaderRecoveryState: 0, leaderEpoch: 6 });
  });

  test('that is unclean begins alone with what is there, and ends its recovery', () => {
    const [errorCode, after] = elect(unclean, { replicas: [2, 1], isr: [2], leader: -1 });
    expect(errorCode).toBe(ErrorCodes.NONE);
    expect(after).toMatchObject({ leader: 1, isr: [1], leaderRecoveryState: 0, leaderEpoch: 6 });
  });

  test('of all partitions tells of those that something was elected for', () => {
    const command = { electionType: preferred, topics: null };
    const led = electLeaders(stateWith({ replicas: [1], isr: [1], leader: 1 }), command);
    expect(led).toEqual({ records: [], reply: [{ topic: 't', partitions: [] }] });
    const { reply } = electLeaders(stateWith({ replicas: [1], isr: [1], leader: -1 }), command);
    expect(reply[0]!.partitions).toMatchObject([{ partitionIndex: 0, errorCode: 0 }]);
  });
});

function move(
  partition: Partition,
  targets: readonly (readonly number[] | null)[],
  allowReplicationFactorChange = true,
): [number[], PartitionImage] {
  const { image, ...rest } = stateWith(partition);
  const all: MetadataRecord[] = [];
  const codes = targets.map((replicas) => {
    const builder = new MetadataImageBuilder(image);
    for (const record of all) builder.apply(record, 100);
    const topics = [{ topic: 't', partitions: [{ partitionIndex: 0, replicas }] }];
    const command = { allowReplicationFactorChange, topics };
    const { records, reply } = reassignPartitions({ ...rest, image: builder.build().image }, command);
    all.push(...records);
    return reply[0]!.partitions[0]!.errorCode;
  });
  return [codes, replayed(image, all)];
}

describe('a reassignment', () => {
  const alone: Partition = { replicas: [1], isr: [1], leader: 1 };

  test('to a broker that has to fetch first stays in progress, and can be taken back', () => {
    const [codes, during] = move(alone, [[2]]);
    expect(codes).toEqual([ErrorCodes.INVALID_REPLICA_ASSIGNMENT]);
    expect(during).toMatchObject({ replicas: [1], partitionEpoch: 0 });

    const [moreCodes, more] = move(alone, [[1, 2]]);
    expect(moreCodes).toEqual([0]);
    expect(more).toMatchObject({ replicas: [1, 2], isr: [1], addingReplicas: [2], removingReplicas: [] });
    expect(more).toMatchObject({ leader: 1, leaderEpoch: 5, directories: [TOPIC_ID, TOPIC_ID] });

    const [cancelCodes, back] = move(alone, [[2, 1], null]);
    expect(cancelCodes).toEqual([0, 0]);
    expect(back).toMatchObject({ replicas: [1], isr: [1], addingReplicas: [], removingReplicas: [] });
  });

  test('to fewer replicas or another order is done at once', () => {
    const [, fewer] = move({ replicas: [2, 1], isr: [1], leader: 1 }, [[1]]);
    expect(fewer).toMatchObject({ replicas: [1], isr: [1], leader: 1, leaderEpoch: 6, removingReplicas: [] });
    const [, order] = move({ replicas: [2, 1], isr: [1], leader: 1 }, [[1, 2]]);
    expect(order).toMatchObject({ replicas: [1, 2], leader: 1, leaderEpoch: 5, partitionEpoch: 1 });
  });

  test('that may not change the number of replicas says from what to what it would', () => {
    const [codes, after] = move(alone, [[1, 3]], false);
    expect(codes).toEqual([ErrorCodes.INVALID_REPLICATION_FACTOR]);
    expect(after).toMatchObject({ replicas: [1], partitionEpoch: 0 });
  });

  test('to the replicas that are there changes nothing', () => {
    expect(move(alone, [[1]])).toEqual([[0], expect.objectContaining({ partitionEpoch: 0 })]);
  });
});

test('an unregistered broker is gone, with the lead of its partitions', () => {
  const state = stateWith({ replicas: [1], isr: [1], leader: 1 });
  const { records, reply } = unregisterBroker(state, 1);
  expect(reply).toEqual({ errorCode: 0, errorMessage: null });
  expect(replayed(state.image, records)).toMatchObject({ leader: -1, leaderEpoch: 6 });
  const builder = new MetadataImageBuilder(state.image);
  for (const record of records) builder.apply(record, 100);
  expect([...builder.build().image.brokers.keys()]).toEqual([2, 3]);
});
