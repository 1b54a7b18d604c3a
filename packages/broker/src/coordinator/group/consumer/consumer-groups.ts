import { fromEntries } from '../modern/topic-partitions.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { newMember, withAssignment, withMetadata } from './consumer-member.ts';
import type { ConsumerGroupRecord } from './consumer-records.ts';

/** The consumer groups of one shard. Changed by replay only, at the append. */
export class ConsumerGroups {
  readonly #groups = new Map<string, ConsumerGroup>();

  get(groupId: string): ConsumerGroup | undefined {
    return this.#groups.get(groupId);
  }

  has(groupId: string): boolean {
    return this.#groups.has(groupId);
  }

  values(): IterableIterator<ConsumerGroup> {
    return this.#groups.values();
  }

  /** Adds the ids of all groups to a set. */
  collectIds(ids: Set<string>): void {
    for (const groupId of this.#groups.keys()) ids.add(groupId);
  }

  /** Installs a record. A tombstone for what is not there (compaction took what it deletes) does nothing. */
  replay(record: ConsumerGroupRecord): void {
    const { groupId } = record.key;
    const existing = this.#groups.get(groupId);
    if (record.value === null) {
      if (existing !== undefined) this.#replayTombstone(existing, record);
      return;
    }
    const group = existing ?? new ConsumerGroup(groupId);
    if (existing === undefined) this.#groups.set(groupId, group);
    this.#replayValue(group, record);
  }

  #replayValue(group: ConsumerGroup, record: ConsumerGroupRecord): void {
    if (record.value === null) return;
    switch (record.type) {
      case 'consumer-group-metadata':
        group.groupEpoch = record.value.epoch;
        group.metadataHash = record.value.metadataHash;
        break;
      case 'consumer-group-partition-metadata':
        group.hasPartitionMetadata = true;
        break;
      case 'consumer-group-member-metadata': {
        const { memberId } = record.key;
        group.setMember(withMetadata(group.members.get(memberId) ?? newMember(memberId), record.value));
        break;
      }
      case 'consumer-group-target-assignment-metadata':
        group.target.epoch = record.value.assignmentEpoch;
        group.target.timestampMs = record.value.assignmentTimestamp;
        break;
      case 'consumer-group-target-assignment-member':
        group.target.set(record.key.memberId, fromEntries(record.value.topicPartitions));
        break;
      case 'consumer-group-current-member-assignment': {
        const { memberId } = record.key;
        group.setMember(withAssignment(group.members.get(memberId) ?? newMember(memberId), record.value));
        break;
      }
      case 'consumer-group-regular-expression':
        group.setResolved(record.key.regularExpression, {
          topics: new Set(record.value.topics),
          version: record.value.version,
          timestampMs: record.value.timestamp,
        });
        break;
    }
  }

  #replayTombstone(group: ConsumerGroup, record: ConsumerGroupRecord): void {
    switch (record.type) {
      case 'consumer-group-metadata':
        this.#groups.delete(group.groupId);
        break;
      case 'consumer-group-partition-metadata':
        group.hasPartitionMetadata = false;
        break;
      case 'consumer-group-member-metadata':
        group.removeMember(record.key.memberId);
        break;
      case 'consumer-group-target-assignment-metadata':
        group.target.epoch = -1;
        group.target.timestampMs = 0;
        break;
      case 'consumer-group-target-assignment-member':
        group.target.delete(record.key.memberId);
        break;
      case 'consumer-group-current-member-assignment': {
        const member = group.members.get(record.key.memberId);
        if (member !== undefined) group.setMember(withAssignment(member, null));
        break;
      }
      case 'consumer-group-regular-expression':
        group.setResolved(record.key.regularExpression, null);
        break;
    }
  }
}
