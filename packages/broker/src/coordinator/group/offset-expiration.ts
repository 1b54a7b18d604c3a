import { CONSUMER_PROTOCOL_TYPE, isSubscribedToTopic, type ClassicGroup } from './classic-group.ts';
import { groupTombstone } from './group-metadata.ts';
import type { GroupRecord } from './group-records.ts';
import { offsetTombstone } from './offset-commits.ts';
import type { CommittedOffset, OffsetStore } from './offset-store.ts';

/** How `expireGroup` judges age. */
export interface ExpirationClock {
  readonly nowMs: number;
  /** `offsets.retention.minutes`, in milliseconds. */
  readonly retentionMs: number;
}

/**
 * Tombstones for what of a group has outlived its retention (KIP-211): its offsets, and the group itself when it is empty
 * and has none left. From when an offset ages depends on the group:
 *
 *     simple group (no protocol type)             since its commit
 *     empty group                                 since the group became empty
 *     stable consumer group                       since its commit, only in topics nobody subscribes to
 *     any other group                             not at all
 */
export function expireGroup(
  group: ClassicGroup,
  offsets: OffsetStore,
  clock: ExpirationClock,
): GroupRecord[] {
  const { groupId } = group;
  const records: GroupRecord[] = [];
  let allExpired = true;
  const byTopic = offsets.committed.ofGroup(groupId);
  if (byTopic !== undefined) {
    const since = agesSince(group);
    if (since === null) return records;
    for (const [topic, partitions] of byTopic) {
      const isInUse = isSubscribedToTopic(group, topic);
      for (const [partition, offset] of partitions) {
        if (
          !isInUse &&
          isExpired(offset, since(offset), clock) &&
          !offsets.hasPending(groupId, topic, partition)
        ) {
          records.push(offsetTombstone(groupId, topic, partition));
        } else {
          allExpired = false;
        }
      }
    }
  }
  if (allExpired && group.state === 'Empty' && !offsets.hasOpenTransactions(groupId))
    records.push(groupTombstone(groupId));
  return records;
}

function agesSince(group: ClassicGroup): ((offset: CommittedOffset) => number) | null {
  if (group.protocolType === null) return sinceCommit;
  if (group.state === 'Empty') {
    return (offset) => (group.stateTimestampMs === -1 ? offset.commitTimestampMs : group.stateTimestampMs);
  }
  const isReadable = group.protocolType === CONSUMER_PROTOCOL_TYPE && group.subscribedTopics !== null;
  return isReadable && group.state === 'Stable' ? sinceCommit : null;
}

function sinceCommit(offset: CommittedOffset): number {
  return offset.commitTimestampMs;
}

/** An offset with an expiry of its own comes from a client that set a retention time (OffsetCommit before version 5). */
function isExpired(
  offset: CommittedOffset,
  sinceMs: number,
  { nowMs, retentionMs }: ExpirationClock,
): boolean {
  if (offset.expireTimestampMs !== -1) return nowMs >= offset.expireTimestampMs;
  return nowMs - sinceMs >= retentionMs;
}
