import type { ShareGroupRecord } from './share-group-records.ts';
import {
  emptyShareGroup,
  NO_ASSIGNMENT,
  NO_STATE_TOPICS,
  type Assignment,
  type ShareGroup,
  type ShareMember,
  type StateTopic,
} from './share-group.ts';

type MutableGroup = {
  -readonly [Field in keyof ShareGroup]: ShareGroup[Field] extends ReadonlyMap<infer Key, infer Value>
    ? Map<Key, Value>
    : ShareGroup[Field];
};

/** The share groups of one shard, as their records say: written or on their way. */
export class ShareGroups {
  readonly #groups = new Map<string, MutableGroup>();

  get(groupId: string): ShareGroup | undefined {
    return this.#groups.get(groupId);
  }

  has(groupId: string): boolean {
    return this.#groups.has(groupId);
  }

  /** Adds the ids of all groups to a set. */
  collectIds(ids: Set<string>): void {
    for (const groupId of this.#groups.keys()) ids.add(groupId);
  }

  all(): Iterable<ShareGroup> {
    return this.#groups.values();
  }

  /** Notes when states were asked for, so that they are asked for again when nothing comes of it. */
  noteInitializing(groupId: string, nowMs: number): void {
    const group = this.#groups.get(groupId);
    if (group !== undefined) group.initializingSinceMs = nowMs;
  }

  replay(record: ShareGroupRecord): void {
    const { groupId } = record.key;
    // The epoch's tombstone is the last of a group's; others may come for what is no more.
    if (record.value === null && !this.#groups.has(groupId)) return;
    if (record.type === 'share-epoch' && record.value === null) {
      this.#groups.delete(groupId);
      return;
    }
    let group = this.#groups.get(groupId);
    if (group === undefined) {
      group = emptyShareGroup(groupId) as MutableGroup;
      this.#groups.set(groupId, group);
    }
    install(group, record);
  }
}

function install(group: MutableGroup, record: ShareGroupRecord): void {
  switch (record.type) {
    case 'share-member':
      installMember(group, record);
      break;
    case 'share-epoch':
      group.groupEpoch = record.value?.epoch ?? 0;
      group.metadataHash = record.value?.metadataHash ?? 0;
      break;
    case 'share-target-epoch':
      group.assignmentEpoch = record.value?.assignmentEpoch ?? 0;
      group.assignmentTimestampMs = record.value?.assignmentTimestamp ?? 0;
      break;
    case 'share-target':
      if (record.value === null) group.targets.delete(record.key.memberId);
      else group.targets.set(record.key.memberId, assignmentOf(record.value.topicPartitions));
      break;
    case 'share-current':
      installCurrent(group, record);
      break;
    case 'share-state-topics':
      installStateTopics(group, record);
      break;
  }
}

type RecordOf<Type extends ShareGroupRecord['type']> = Extract<ShareGroupRecord, { type: Type }>;

function installMember(group: MutableGroup, { key, value }: RecordOf<'share-member'>): void {
  const { memberId } = key;
  if (value === null) {
    group.members.delete(memberId);
    return;
  }
  const { rackId, clientId, clientHost, subscribedTopicNames } = value;
  const before = group.members.get(memberId) ?? newMember(memberId);
  group.members.set(memberId, { ...before, rackId, clientId, clientHost, subscribedTopicNames });
}

function installCurrent(group: MutableGroup, { key, value }: RecordOf<'share-current'>): void {
  const member = group.members.get(key.memberId);
  if (value === null) {
    if (member !== undefined) group.members.set(key.memberId, { ...member, ...BEFORE_FIRST_EPOCH });
    return;
  }
  const { memberEpoch, previousMemberEpoch } = value;
  const assigned = assignmentOf(value.assignedPartitions);
  group.members.set(key.memberId, {
    ...(member ?? newMember(key.memberId)),
    memberEpoch,
    previousMemberEpoch,
    assigned,
  });
}

function installStateTopics(group: MutableGroup, { value }: RecordOf<'share-state-topics'>): void {
  if (value === null) {
    group.stateTopics = NO_STATE_TOPICS;
    return;
  }
  group.stateTopics = {
    initializing: stateTopicsOf(value.initializingTopics),
    initialized: stateTopicsOf(value.initializedTopics),
    deleting: new Map(value.deletingTopics.map(({ topicId, topicName }) => [topicId, topicName])),
  };
}

function stateTopicsOf(
  topics: readonly { topicId: string; topicName: string; partitions: readonly number[] }[],
): Map<string, StateTopic> {
  return new Map(
    topics.map(({ topicId, topicName, partitions }) => [
      topicId,
      { name: topicName, partitions: ascending(partitions) },
    ]),
  );
}

function assignmentOf(topics: readonly { topicId: string; partitions: readonly number[] }[]): Assignment {
  return new Map(topics.map(({ topicId, partitions }) => [topicId, ascending(partitions)]));
}

function ascending(partitions: readonly number[]): number[] {
  return [...partitions].sort((left, right) => left - right);
}

const BEFORE_FIRST_EPOCH = { memberEpoch: 0, previousMemberEpoch: -1, assigned: NO_ASSIGNMENT };

/** A member before its first epoch. */
export function newMember(memberId: string): ShareMember {
  return {
    memberId,
    rackId: null,
    clientId: '',
    clientHost: '',
    subscribedTopicNames: [],
    ...BEFORE_FIRST_EPOCH,
  };
}
