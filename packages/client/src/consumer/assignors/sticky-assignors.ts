import type { TopicPartition } from '../../admin/admin-requests.ts';
import type { AssignableTopic, Assignor, GroupAssignment, MemberSubscription } from './assignor.ts';
import { assignConstrained, type StickyResult } from './sticky-constrained.ts';
import { assignGeneral } from './sticky-general.ts';
import { NO_GENERATION, removeFrom, stickyInput, type MemberData } from './sticky-input.ts';
import { decodeStickyUserData, encodeGeneration, encodeStickyUserData } from './sticky-user-data.ts';

/** As even as possible, and members keep as many of their partitions as that allows (KIP-54). All are given up during a rebalance. */
export const stickyAssignor: Assignor = {
  name: 'sticky',
  rebalanceProtocol: 'eager',
  subscriptionUserData: (previous) => (previous === null ? null : encodeStickyUserData(previous)),
  assign: (topics, members): GroupAssignment =>
    assignSticky(topics, members, ({ userData }) =>
      userData === null || userData.length === 0
        ? { partitions: [], generation: null }
        : decodeStickyUserData(userData),
    ).assignment,
};

/** The same, but members go on with the partitions that they keep while others change hands (KIP-429). */
export const cooperativeStickyAssignor: Assignor = {
  name: 'cooperative-sticky',
  rebalanceProtocol: 'cooperative',
  subscriptionUserData: (previous) => encodeGeneration(previous?.generationId ?? NO_GENERATION),
  assign(topics, members): GroupAssignment {
    const { assignment, transferring } = assignSticky(topics, members, cooperativeData);
    // Nobody gets a partition before its owner has given it up: that takes another rebalance.
    const changing = transferring === null ? changedHands(members, assignment) : transferring;
    for (const [partition, memberId] of changing) removeFrom(assignment.get(memberId)!, partition);
    return assignment;
  },
};

function assignSticky(
  topics: readonly AssignableTopic[],
  members: readonly MemberSubscription[],
  readData: (member: MemberSubscription) => MemberData,
): StickyResult {
  const input = stickyInput(topics, members, readData);
  return input.isEqual ? assignConstrained(input) : assignGeneral(input);
}

function cooperativeData({ ownedPartitions, generationId, userData }: MemberSubscription): MemberData {
  if (generationId !== null) return { partitions: ownedPartitions, generation: generationId };
  if (userData === null) return { partitions: ownedPartitions, generation: null };
  return {
    partitions: ownedPartitions,
    generation: userData.length >= 4 ? userData.readInt32BE(0) : NO_GENERATION,
  };
}

/** Partitions that one member gets and another has to give up, with their new owners. */
function changedHands(
  members: readonly MemberSubscription[],
  assignment: ReadonlyMap<string, readonly TopicPartition[]>,
): Map<TopicPartition, string> {
  const idOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`;
  const added = new Map<TopicPartition, string>();
  const revoked = new Set<string>();
  for (const { memberId, ownedPartitions } of members) {
    const assigned = assignment.get(memberId)!;
    const owned = new Set(ownedPartitions.map(idOf));
    for (const partition of assigned) {
      if (owned.has(idOf(partition))) owned.delete(idOf(partition));
      else added.set(partition, memberId);
    }
    for (const id of owned) revoked.add(id);
  }
  for (const partition of added.keys()) if (!revoked.has(idOf(partition))) added.delete(partition);
  return added;
}
