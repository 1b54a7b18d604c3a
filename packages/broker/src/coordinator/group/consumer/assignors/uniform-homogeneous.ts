import type { AssignorGroup, AssignorMember } from '../../modern/assignor.ts';
import type { TopicPartitions } from '../../modern/topic-partitions.ts';
import { javaHashOrder, javaHashOrderOfNumbers } from '../../modern/java-hash-order.ts';
import { MutableAssignment } from './mutable-assignment.ts';

interface Unassigned {
  readonly topicId: string;
  readonly partition: number;
}

/**
 * The uniform assignment of a group whose members all subscribe to the same topics. Every member may keep what it has up to
 * its quota, which is the average, rounded down or up; what is left goes to those below their quota, in the order of the
 * members.
 */
export function assignHomogeneous(group: AssignorGroup): Map<string, TopicPartitions> {
  const [first] = group.members.values();
  const topicIds = javaHashOrder(first?.subscribedTopicIds ?? []);
  if (topicIds.length === 0) return new Map();
  const unassigned: Unassigned[] = [];
  let partitionCount = 0;
  for (const topicId of topicIds) {
    const count = group.partitionCount(topicId);
    for (let partition = 0; partition < count; partition++) {
      if (!group.isAssigned(topicId, partition)) unassigned.push({ topicId, partition });
    }
    partitionCount += count;
  }
  const assignment = new MutableAssignment();
  const unfilled = revoke(group, { partitionCount, subscribed: new Set(topicIds), unassigned, assignment });
  let next = 0;
  for (const [memberId, quota] of unfilled) {
    for (let i = 0; i < quota; i++) {
      const free = unassigned[next++];
      if (free === undefined) return assignment.result();
      assignment.add(memberId, free.topicId, free.partition);
    }
  }
  return assignment.result();
}

interface Revocation {
  readonly partitionCount: number;
  readonly subscribed: ReadonlySet<string>;
  readonly unassigned: Unassigned[];
  readonly assignment: MutableAssignment;
}

/** Takes from each member what is above its quota; returns who is below it, and by how much. */
function revoke(group: AssignorGroup, revocation: Revocation): [memberId: string, quota: number][] {
  const memberCount = group.members.size;
  const minimum = Math.floor(revocation.partitionCount / memberCount);
  const unfilled: [string, number][] = [];
  let extras = revocation.partitionCount % memberCount;
  let position = 0;
  for (const [memberId, member] of group.members) {
    revocation.assignment.start(memberId, member.assignment);
    let hasExtra = extras > 0;
    let quota = keepUpTo(minimum + Number(hasExtra), memberId, member, revocation);
    // It does not use its extra partition, and others are left who may: those get it.
    if (quota > 0 && hasExtra && memberCount - position > extras) {
      quota--;
      hasExtra = false;
    }
    if (quota > 0) unfilled.push([memberId, quota]);
    if (hasExtra) extras--;
    position++;
  }
  return unfilled;
}

/** Lets a member keep up to `quota` of its partitions; returns how much of the quota is left. */
// oxlint-disable-next-line max-params -- one step of a loop, spelled out
function keepUpTo(quota: number, memberId: string, member: AssignorMember, revocation: Revocation): number {
  const { subscribed, unassigned, assignment } = revocation;
  let left = quota;
  for (const topicId of javaHashOrder(member.assignment.keys())) {
    const partitions = member.assignment.get(topicId) ?? new Set();
    if (!subscribed.has(topicId)) {
      assignment.removeTopic(memberId, topicId);
    } else if (partitions.size <= left) {
      left -= partitions.size;
    } else {
      for (const partition of javaHashOrderOfNumbers(partitions)) {
        if (left > 0) {
          left--;
          continue;
        }
        assignment.remove(memberId, topicId, partition);
        unassigned.push({ topicId, partition });
      }
    }
  }
  return left;
}
