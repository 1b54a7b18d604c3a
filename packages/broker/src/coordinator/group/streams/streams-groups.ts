import { StreamsGroup } from './streams-group.ts';
import { newMember, withAssignment, withMetadata } from './streams-member.ts';
import type { StreamsGroupRecord } from './streams-records.ts';
import type { StreamsGroupChange } from './streams-types.ts';
import { fromTaskIds } from './tasks.ts';
import { readTopology } from './topology/streams-topology.ts';

/** The streams groups of one shard. Changed by replay, at the append, and in what only memory knows by `apply`. */
export class StreamsGroups {
  readonly #groups = new Map<string, StreamsGroup>();
  /** Soft: groups that wait for more members before their first assignment. */
  readonly #delayed = new Set<string>();

  get(groupId: string): StreamsGroup | undefined {
    return this.#groups.get(groupId);
  }

  has(groupId: string): boolean {
    return this.#groups.has(groupId);
  }

  values(): IterableIterator<StreamsGroup> {
    return this.#groups.values();
  }

  /** Adds the ids of all groups to a set. */
  collectIds(ids: Set<string>): void {
    for (const groupId of this.#groups.keys()) ids.add(groupId);
  }

  /** Whether a group waits for more members before its first assignment. */
  isDelayed(groupId: string): boolean {
    return this.#delayed.has(groupId);
  }

  /** Installs a change of what is not in the log. */
  apply(change: StreamsGroupChange): void {
    const group = this.#groups.get(change.groupId);
    switch (change.type) {
      case 'streams-initial-delay':
        if (change.isRunning) this.#delayed.add(change.groupId);
        else this.#delayed.delete(change.groupId);
        break;
      case 'streams-shutdown':
        // The first request counts, until everybody is gone.
        if (group !== undefined) group.shutdownRequestedBy ??= change.memberId;
        break;
      case 'streams-endpoint-epoch':
        if (group !== undefined) group.endpointEpoch = change.epoch;
        break;
    }
  }

  /** Installs a record. A tombstone for what is not there (compaction took what it deletes) does nothing. */
  replay(record: StreamsGroupRecord): void {
    const { groupId } = record.key;
    const existing = this.#groups.get(groupId);
    if (record.value === null) {
      if (existing !== undefined) this.#replayTombstone(existing, record);
      return;
    }
    const group = existing ?? new StreamsGroup(groupId);
    if (existing === undefined) this.#groups.set(groupId, group);
    replayValue(group, record);
  }

  #replayTombstone(group: StreamsGroup, record: StreamsGroupRecord): void {
    switch (record.type) {
      case 'streams-epoch':
        this.#groups.delete(group.groupId);
        this.#delayed.delete(group.groupId);
        break;
      case 'streams-topology':
        group.topology = null;
        break;
      case 'streams-member':
        group.removeMember(record.key.memberId);
        break;
      case 'streams-target-epoch':
        group.targetEpoch = -1;
        group.targetTimestampMs = 0;
        break;
      case 'streams-target':
        group.setTarget(record.key.memberId, null);
        break;
      case 'streams-current': {
        const member = group.members.get(record.key.memberId);
        if (member !== undefined) group.setMember(withAssignment(member, null));
        break;
      }
    }
  }
}

function replayValue(group: StreamsGroup, record: StreamsGroupRecord): void {
  if (record.value === null) return;
  switch (record.type) {
    case 'streams-epoch':
      group.groupEpoch = record.value.epoch;
      group.metadataHash = record.value.metadataHash;
      group.validatedTopologyEpoch = record.value.validatedTopologyEpoch;
      group.assignmentConfigs = new Map(
        record.value.lastAssignmentConfigs?.map(({ key, value }) => [key, value]),
      );
      break;
    case 'streams-topology':
      group.topology = readTopology(record.value);
      break;
    case 'streams-member': {
      const { memberId } = record.key;
      group.setMember(withMetadata(group.members.get(memberId) ?? newMember(memberId), record.value));
      break;
    }
    case 'streams-target-epoch':
      group.targetEpoch = record.value.assignmentEpoch;
      group.targetTimestampMs = record.value.assignmentTimestamp;
      break;
    case 'streams-target':
      group.setTarget(record.key.memberId, {
        active: fromTaskIds(record.value.activeTasks),
        standby: fromTaskIds(record.value.standbyTasks),
        warmup: fromTaskIds(record.value.warmupTasks),
      });
      break;
    case 'streams-current': {
      const { memberId } = record.key;
      group.setMember(withAssignment(group.members.get(memberId) ?? newMember(memberId), record.value));
      break;
    }
  }
}
