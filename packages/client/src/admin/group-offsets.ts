import { ErrorCodes, type OffsetFetchResponse } from '@ottla/protocol';
import type { CallLimits } from '../cluster/limits.ts';
import type { KafkaError } from '../errors/kafka-error.ts';
import { brokerError, throwIfError, errorOf } from '../errors/kafka-error.ts';
import { apis } from '../network/apis.ts';
import type { AdminRequests, TopicPartition } from './admin-requests.ts';
import type { CommitOffset } from './commit-offset.ts';
import type { GroupDescription } from './describe-groups.ts';
import type { OffsetsAdmin, PartitionFailure } from './offsets-admin.ts';
import { only, byTopic } from './per-item.ts';

/** What a group has committed for a partition. */
export interface CommittedOffset extends TopicPartition {
  /** The next record to read. */
  readonly offset: number;
  /** -1 when it was not given. */
  readonly leaderEpoch: number;
  /** Text that the committer added. */
  readonly metadata: string;
  readonly error: null;
}

/** How far a group is in a partition. */
export interface GroupLag extends TopicPartition {
  /** Null when nothing is committed. */
  readonly committed: number | null;
  readonly metadata: string | null;
  readonly leaderEpoch: number | null;
  /** Null when the leader could not be asked. */
  readonly logEndOffset: number | null;
  /** Records from the committed offset to the end; null when one of the two is not known. */
  readonly lag: number | null;
  /** The member that owns the partition; null when nobody does. */
  readonly memberId: string | null;
}

/** Since version 10 topics are named by id, which a group may outlive. */
const LAST_VERSION_WITH_NAMES = 9;

/** Reads and changes what groups have committed. */
export class GroupOffsets {
  readonly #requests: AdminRequests;
  readonly #offsets: OffsetsAdmin;

  constructor(requests: AdminRequests, offsets: OffsetsAdmin) {
    this.#requests = requests;
    this.#offsets = offsets;
  }

  /** Committed offsets; partitions without one are left out. */
  async list(
    groupId: string,
    options: CallLimits & {
      readonly partitions?: readonly TopicPartition[];
      readonly requireStable?: boolean;
    },
  ): Promise<(CommittedOffset | PartitionFailure)[]> {
    const topics =
      options.partitions === undefined
        ? null
        : byTopic(options.partitions, (name, members) => ({
            name,
            partitionIndexes: members.map(({ partition }) => partition),
          }));
    const stable = options.requireStable === true && { requireStable: true };
    const body = (version: number): object =>
      version >= 8 ? { groups: [{ groupId, topics }], ...stable } : { groupId, topics, ...stable };
    const request = { api: apis.offsetFetch, body, minVersion: 2, maxVersion: LAST_VERSION_WITH_NAMES };
    const limits = { ...options, what: `Reading the offsets of group "${groupId}"`, oneByOne: true };
    const results = await this.#requests.toCoordinators(
      'group',
      [groupId],
      limits,
      async (nodeId, _, attempt) => {
        const answer = await this.#requests.send(nodeId, request, attempt);
        return [[groupId, committedOf(answer, groupId)]];
      },
    );
    return only(results);
  }

  /** Commits for a group without members. */
  async alter(
    groupId: string,
    offsets: readonly CommitOffset[],
    options: CallLimits,
  ): Promise<(TopicPartition & { readonly error: KafkaError | null })[]> {
    const body = {
      groupId,
      topics: byTopic(offsets, (name, members) => ({
        name,
        partitions: members.map(({ partition, offset, leaderEpoch, metadata }) => ({
          partitionIndex: partition,
          committedOffset: offset,
          committedLeaderEpoch: leaderEpoch ?? -1,
          committedMetadata: metadata ?? '',
        })),
      })),
    };
    const request = { api: apis.offsetCommit, body, maxVersion: LAST_VERSION_WITH_NAMES };
    const limits = { ...options, what: `Committing offsets of group "${groupId}"`, oneByOne: true };
    const results = await this.#requests.toCoordinators(
      'group',
      [groupId],
      limits,
      async (nodeId, _, attempt) => {
        const answer = await this.#requests.send(nodeId, request, attempt);
        return [[groupId, partitionErrors(answer.topics)]];
      },
    );
    return only(results);
  }

  /** Deletes committed offsets. */
  async delete(
    groupId: string,
    partitions: readonly TopicPartition[],
    options: CallLimits,
  ): Promise<(TopicPartition & { readonly error: KafkaError | null })[]> {
    const body = {
      groupId,
      topics: byTopic(partitions, (name, members) => ({
        name,
        partitions: members.map(({ partition }) => ({ partitionIndex: partition })),
      })),
    };
    const limits = { ...options, what: `Deleting offsets of group "${groupId}"`, oneByOne: true };
    const results = await this.#requests.toCoordinators(
      'group',
      [groupId],
      limits,
      async (nodeId, _, attempt) => {
        const answer = await this.#requests.send(nodeId, { api: apis.offsetDelete, body }, attempt);
        if (answer.errorCode !== ErrorCodes.NONE)
          return [[groupId, brokerError(answer.errorCode, null, `group "${groupId}"`)]];
        return [[groupId, partitionErrors(answer.topics)]];
      },
    );
    return only(results);
  }

  /** Committed offsets and owners of a described group beside the ends of the logs. */
  async lag(group: GroupDescription, options: CallLimits): Promise<GroupLag[]> {
    const owners = new Map<string, string>();
    const places = new Map<string, TopicPartition>();
    for (const member of group.members)
      for (const place of member.assignment) {
        owners.set(placeName(place), member.memberId);
        places.set(placeName(place), place);
      }
    const committed = new Map<string, CommittedOffset>();
    for (const each of await this.list(group.groupId, options)) {
      places.set(placeName(each), each);
      if (each.error === null) committed.set(placeName(each), each);
    }
    const wanted = [...places.values()].map(({ topic, partition }) => ({
      topic,
      partition,
      spec: 'latest' as const,
    }));
    const ends = new Map(
      (await this.#offsets.listPartitions(wanted, options)).map((each) => [
        placeName(each),
        each.error === null ? each.offset : null,
      ]),
    );
    return wanted
      .map(({ topic, partition }) => {
        const name = placeName({ topic, partition });
        const own = committed.get(name);
        const logEndOffset = ends.get(name) ?? null;
        return {
          topic,
          partition,
          committed: own?.offset ?? null,
          metadata: own?.metadata ?? null,
          leaderEpoch: own?.leaderEpoch ?? null,
          logEndOffset,
          lag: own === undefined || logEndOffset === null ? null : Math.max(0, logEndOffset - own.offset),
          memberId: owners.get(name) ?? null,
        };
      })
      .sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1));
  }
}

function placeName({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`;
}

/** The group's part of an answer of any version. */
function committedOf(answer: OffsetFetchResponse, groupId: string): (CommittedOffset | PartitionFailure)[] {
  const group = answer.groups.find((each) => each.groupId === groupId) ?? answer;
  throwIfError(group.errorCode, null, `group "${groupId}"`);
  return group.topics.flatMap(({ name, partitions }) =>
    partitions.flatMap((each): (CommittedOffset | PartitionFailure)[] => {
      const place = { topic: name, partition: each.partitionIndex };
      if (each.errorCode !== ErrorCodes.NONE)
        return [{ ...place, error: brokerError(each.errorCode, null, `partition ${placeName(place)}`) }];
      if (each.committedOffset < 0) return [];
      return [
        {
          ...place,
          offset: each.committedOffset,
          leaderEpoch: each.committedLeaderEpoch,
          metadata: each.metadata ?? '',
          error: null,
        },
      ];
    }),
  );
}

/** Partitions with their errors; an error of the whole group that brokers repeat for each partition is thrown, to be retried. */
function partitionErrors(
  topics: readonly {
    readonly name: string;
    readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[];
  }[],
): (TopicPartition & { readonly error: KafkaError | null })[] {
  const all = topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, errorCode }) => ({
      topic: name,
      partition: partitionIndex,
      error: errorOf(errorCode, null, `partition ${name}-${partitionIndex}`) ?? null,
    })),
  );
  const first = all[0]?.error;
  if (first?.retriable === true && all.every(({ error }) => error?.code === first.code)) throw first;
  return all;
}
