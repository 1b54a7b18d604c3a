import { ErrorCodes } from '@ottla/protocol';
import { CoordinatorError } from '../../runtime/coordinator-error.ts';
import {
  NO_ASSIGNED_PARTITIONS,
  type AssignedPartitions,
  type TopicPartitions,
  type TopicPartitionsEntry,
} from '../modern/topic-partitions.ts';
import { isReconciledTo, MemberState, type ConsumerMember } from './consumer-member.ts';

/** What a member is reconciled with. */
export interface Reconciliation {
  readonly targetEpoch: number;
  readonly target: TopicPartitions;
  /** Ids of the topics that it subscribes to now; partitions of others are taken from it at once. */
  readonly subscribedTopicIds: ReadonlySet<string>;
  readonly hasSubscriptionChanged: boolean;
  /** The epoch of whoever holds a partition; -1 when it is free. */
  readonly partitionEpoch: (topicId: string, partition: number) => number;
  /** What the member says it owns; null when it does not say. */
  readonly owned: readonly TopicPartitionsEntry[] | null;
}

/**
 * Brings a member one step closer to its target (KIP-848): first it gives up what is no longer its own, and only when it has
 * said so it gets what is new, as far as others have let go of it:
 *
 *     Stable --new target--> UnrevokedPartitions --given up--> Stable, or UnreleasedPartitions while others still own some
 *
 * @throws CoordinatorError FENCED_MEMBER_EPOCH for a member in a state that nobody knows, unless it gives up everything
 */
export function reconcile(member: ConsumerMember, how: Reconciliation): ConsumerMember {
  if (!how.hasSubscriptionChanged && isReconciledTo(member, how.targetEpoch)) return member;
  switch (member.state) {
    case MemberState.stable:
      if (member.memberEpoch !== how.targetEpoch) return nextAssignment(member, member.memberEpoch, how);
      return how.hasSubscriptionChanged ? withoutUnsubscribed(member, how) : member;
    case MemberState.unrevokedPartitions:
      if (!ownsAny(how.owned, member.pendingRevocation))
        return nextAssignment(member, member.memberEpoch, how);
      return how.hasSubscriptionChanged ? withoutUnsubscribed(member, how) : member;
    case MemberState.unreleasedPartitions:
      return nextAssignment(member, member.memberEpoch, how);
    case MemberState.unknown:
      if (how.owned === null || how.owned.length > 0) {
        throw new CoordinatorError(
          ErrorCodes.FENCED_MEMBER_EPOCH,
          'The consumer group member is in a unknown state. The member must abandon all its partitions and rejoin.',
        );
      }
      return nextAssignment(member, how.targetEpoch, how);
  }
}

/** Whether the member says, or may, own any of these; one that does not say may own them all. */
function ownsAny(owned: readonly TopicPartitionsEntry[] | null, partitions: AssignedPartitions): boolean {
  if (owned === null) return true;
  return owned.some(({ topicId, partitions: indexes }) => {
    const among = partitions.get(topicId);
    return among !== undefined && indexes.some((index) => among.has(index));
  });
}

/** The subscription changed without a new target yet: topics that are no longer in it are given up. */
function withoutUnsubscribed(member: ConsumerMember, how: Reconciliation): ConsumerMember {
  const assigned = new Map(member.assigned);
  const pendingRevocation = new Map(member.pendingRevocation);
  for (const [topicId, epochs] of member.assigned) {
    if (how.subscribedTopicIds.has(topicId)) continue;
    assigned.delete(topicId);
    pendingRevocation.set(topicId, new Map([...(pendingRevocation.get(topicId) ?? []), ...epochs]));
  }
  if (assigned.size === member.assigned.size) return member;
  const next = atEpoch(member, member.memberEpoch, assigned);
  if (ownsAny(how.owned, pendingRevocation)) {
    return { ...next, state: MemberState.unrevokedPartitions, pendingRevocation };
  }
  return next;
}

/** `memberEpoch` is the epoch that the member stays at while it has partitions to give up. */
function nextAssignment(member: ConsumerMember, memberEpoch: number, how: Reconciliation): ConsumerMember {
  const kept = new Map<string, Map<number, number>>();
  const revoked = new Map<string, Map<number, number>>();
  const granted = new Map<string, number[]>();
  let waits = false;
  for (const topicId of new Set([...how.target.keys(), ...member.assigned.keys()])) {
    const target = how.subscribedTopicIds.has(topicId) ? how.target.get(topicId) : undefined;
    const current = member.assigned.get(topicId);
    for (const [index, epoch] of current ?? []) {
      put(target?.has(index) === true ? kept : revoked, topicId, [index, epoch]);
    }
    for (const index of target ?? []) {
      if (current?.has(index) === true) continue;
      const isFree = how.partitionEpoch(topicId, index) === -1;
      // What it has not given up yet, but is to get back, is its own.
      if (isFree || member.pendingRevocation.get(topicId)?.has(index) === true) {
        const indexes = granted.get(topicId);
        if (indexes === undefined) granted.set(topicId, [index]);
        else indexes.push(index);
      } else {
        waits = true;
      }
    }
  }
  if (revoked.size > 0 && ownsAny(how.owned, revoked)) {
    return {
      ...atEpoch(member, memberEpoch, kept),
      state: MemberState.unrevokedPartitions,
      pendingRevocation: revoked,
    };
  }
  for (const [topicId, indexes] of granted) {
    for (const index of indexes) put(kept, topicId, [index, how.targetEpoch]);
  }
  return {
    ...atEpoch(member, how.targetEpoch, kept),
    state: waits ? MemberState.unreleasedPartitions : MemberState.stable,
    pendingRevocation: NO_ASSIGNED_PARTITIONS,
  };
}

function atEpoch(member: ConsumerMember, memberEpoch: number, assigned: AssignedPartitions): ConsumerMember {
  return { ...member, memberEpoch, previousMemberEpoch: member.memberEpoch, assigned };
}

function put(
  partitions: Map<string, Map<number, number>>,
  topicId: string,
  [index, epoch]: readonly [number, number],
): void {
  const epochs = partitions.get(topicId);
  if (epochs === undefined) partitions.set(topicId, new Map([[index, epoch]]));
  else epochs.set(index, epoch);
}
