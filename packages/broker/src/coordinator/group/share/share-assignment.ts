import type { TopicsImage } from '../../../metadata/image.ts';
import { targetEpochRecord, targetRecord, type ShareGroupRecord } from './share-group-records.ts';
import {
  NO_ASSIGNMENT,
  sameAssignment,
  type Assignment,
  type ShareGroup,
  type ShareMember,
} from './share-group.ts';
import { assignSimple } from './simple-assignor.ts';

/** Every topic name that a member subscribes to. */
export function subscribedTopicNames(members: Iterable<ShareMember>): Set<string> {
  const names = new Set<string>();
  for (const member of members) for (const name of member.subscribedTopicNames) names.add(name);
  return names;
}

/** What a new target assignment comes to. */
export interface TargetUpdate {
  readonly targets: ReadonlyMap<string, Assignment>;
  readonly records: readonly ShareGroupRecord[];
}

/** Computes the target assignment of all members over the initialized share partitions that they subscribe to. */
export function computeTargets(
  group: ShareGroup,
  members: ReadonlyMap<string, ShareMember>,
  { epoch, topics, nowMs }: { readonly epoch: number; readonly topics: TopicsImage; readonly nowMs: number },
): TargetUpdate {
  const assignable = new Map<string, readonly number[]>();
  for (const [topicId, { partitions }] of group.stateTopics.initialized) {
    const count = topics.byId.get(topicId)?.partitions.length ?? 0;
    assignable.set(
      topicId,
      partitions.filter((partition) => partition < count),
    );
  }
  const assigned = assignSimple(
    Array.from(members.values(), (member) => ({
      memberId: member.memberId,
      topicIds: topicIdsOf(member, topics),
      assigned: group.targets.get(member.memberId) ?? NO_ASSIGNMENT,
    })),
    assignable,
  );
  const records: ShareGroupRecord[] = [];
  for (const [memberId, assignment] of assigned) {
    const before = group.targets.get(memberId);
    if (before === undefined || !sameAssignment(before, assignment))
      records.push(targetRecord(group.groupId, memberId, assignment));
  }
  records.push(targetEpochRecord(group.groupId, epoch, nowMs));
  return { targets: assigned, records };
}

function topicIdsOf(member: ShareMember, topics: TopicsImage): Set<string> {
  const ids = new Set<string>();
  for (const name of member.subscribedTopicNames) {
    const topic = topics.byName.get(name);
    if (topic !== undefined) ids.add(topic.id);
  }
  return ids;
}

/** Whether share partitions were initialized that the target assignment does not know yet. */
export function hasUnassignedStates(group: ShareGroup): boolean {
  if (group.members.size === 0 || group.stateTopics.initialized.size === 0) return false;
  const subscribed = subscribedTopicNames(group.members.values());
  const assigned = new Map<string, Set<number>>();
  for (const target of group.targets.values()) {
    for (const [topicId, partitions] of target) {
      const all = assigned.get(topicId) ?? new Set();
      for (const partition of partitions) all.add(partition);
      assigned.set(topicId, all);
    }
  }
  for (const [topicId, { name, partitions }] of group.stateTopics.initialized) {
    if (!subscribed.has(name)) continue;
    if (partitions.some((partition) => assigned.get(topicId)?.has(partition) !== true)) return true;
  }
  return false;
}
