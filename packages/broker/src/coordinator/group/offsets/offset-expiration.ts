import type { GroupRecord } from '../group-records.ts';
import type { GroupView } from '../group-view.ts';
import { offsetTombstone } from './offset-records.ts';
import type { CommittedOffset, OffsetStore } from './offset-store.ts';

/** How `expireGroup` judges age. */
export interface ExpirationClock {
  readonly nowMs: number;
  /** `offsets.retention.minutes`, in milliseconds. */
  readonly retentionMs: number;
}

/**
 * Tombstones for what of a group has outlived its retention (KIP-211): its offsets, and the group itself when it is empty
 * and has none left. From when an offset ages is for the kind of the group to say.
 */
export function expireGroup(group: GroupView, offsets: OffsetStore, clock: ExpirationClock): GroupRecord[] {
  const { groupId } = group;
  const records: GroupRecord[] = [];
  if (!group.shouldExpire) return records;
  let allExpired = true;
  const byTopic = offsets.committed.ofGroup(groupId);
  if (byTopic !== undefined) {
    const since = group.offsetsAgeSince();
    if (since === null) return records;
    for (const [topic, partitions] of byTopic) {
      const isInUse = group.isSubscribedToTopic(topic);
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
  if (allExpired && group.isEmpty && !offsets.hasOpenTransactions(groupId)) {
    records.push(...group.tombstones());
  }
  return records;
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
