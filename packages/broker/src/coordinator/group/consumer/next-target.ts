import type { MetadataImage } from '../../../metadata/image.ts';
import type { Assignor, AssignorMember } from '../modern/assignor.ts';
import { mayComputeNextTarget } from '../modern/target-assignment.ts';
import { NO_PARTITIONS, samePartitions, type TopicPartitions } from '../modern/topic-partitions.ts';
import { rangeAssignor } from './assignors/range-assignor.ts';
import { uniformAssignor } from './assignors/uniform-assignor.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerMember } from './consumer-member.ts';
import { targetEpochRecord, targetRecord } from './consumer-record-builders.ts';
import type { ConsumerStep } from './consumer-step.ts';
import { subscribedTopicIds, type NextEpoch } from './subscriptions.ts';

const ASSIGNORS: ReadonlyMap<string, Assignor> = new Map(
  [uniformAssignor, rangeAssignor].map((assignor) => [assignor.name, assignor]),
);

/** The target of one member. */
export interface MemberTarget {
  readonly epoch: number;
  readonly partitions: TopicPartitions;
}

/**
 * Computes the target assignment for a group epoch that has none yet, unless the last one is too young; returns the target
 * of the member in question, as it is or will be.
 */
export function nextTarget(
  step: ConsumerStep,
  member: ConsumerMember,
  { before, next }: { before: ConsumerMember; next: NextEpoch },
): MemberTarget {
  const { group, context } = step;
  const { assignmentIntervalMs } = context.consumerTimings(group.groupId);
  if (
    group.target.epoch >= next.groupEpoch ||
    !mayComputeNextTarget(group.target, assignmentIntervalMs, context.nowMs)
  ) {
    return { epoch: group.target.epoch, partitions: currentTarget(group, member) };
  }
  const members = assignorMembers(group, member, step.image);
  const assignment = assignorFor(step, before, member).assign({
    members,
    subscriptionType: next.subscriptionType,
    isAssigned: (topicId, partition) => group.target.ownerOf(topicId, partition) !== undefined,
    partitionCount: (topicId) => step.image.topics.byId.get(topicId)?.partitions.length ?? -1,
  });
  for (const memberId of members.keys()) {
    const partitions = assignment.get(memberId) ?? NO_PARTITIONS;
    if (!group.target.has(memberId) || !samePartitions(group.target.of(memberId), partitions)) {
      step.append(targetRecord(group.groupId, memberId, partitions));
    }
  }
  step.append(targetEpochRecord(group.groupId, next.groupEpoch, context.nowMs));
  return { epoch: next.groupEpoch, partitions: assignment.get(member.memberId) ?? NO_PARTITIONS };
}

/** The target of a member; a static member has that of whoever it takes the place of. */
export function currentTarget(
  group: ConsumerGroup,
  { memberId, instanceId }: Pick<ConsumerMember, 'memberId' | 'instanceId'>,
): TopicPartitions {
  if (instanceId === null) return group.target.of(memberId);
  const previous = group.staticMembers.get(instanceId);
  return previous === undefined ? NO_PARTITIONS : group.target.of(previous);
}

function assignorMembers(
  group: ConsumerGroup,
  updated: ConsumerMember,
  image: MetadataImage,
): Map<string, AssignorMember> {
  const subscriptions = new Map<string, Set<string>>();
  const topicIdsOf = (member: ConsumerMember): Set<string> => {
    // Most members of a group subscribe to the same topics: they share one set.
    const key = `${member.subscribedTopicRegex}\n${member.subscribedTopicNames.join('\n')}`;
    let ids = subscriptions.get(key);
    if (ids === undefined) {
      ids = subscribedTopicIds(member, group.resolvedRegexes, image);
      subscriptions.set(key, ids);
    }
    return ids;
  };
  const replaced = updated.instanceId === null ? undefined : group.staticMembers.get(updated.instanceId);
  const members = new Map<string, AssignorMember>();
  const add = (member: ConsumerMember, assignment: TopicPartitions): void => {
    const { instanceId, rackId } = member;
    members.set(member.memberId, { instanceId, rackId, subscribedTopicIds: topicIdsOf(member), assignment });
  };
  for (const [memberId, member] of group.members) {
    if (memberId === updated.memberId || memberId === replaced) add(updated, currentTarget(group, updated));
    else add(member, group.target.of(memberId));
  }
  if (!members.has(updated.memberId)) add(updated, currentTarget(group, updated));
  return members;
}

/** The assignor that most members prefer; the first configured one when nobody prefers any. */
function assignorFor(step: ConsumerStep, before: ConsumerMember, after: ConsumerMember): Assignor {
  const name = preferredAssignor(step.group, { before, after }) ?? step.context.config.consumer.assignors[0];
  return ASSIGNORS.get(name ?? '') ?? uniformAssignor;
}

/** The assignor that most members prefer, with one of them as it will be; null when nobody prefers any. */
export function preferredAssignor(
  group: ConsumerGroup,
  change?: { readonly before: ConsumerMember; readonly after: ConsumerMember },
): string | null {
  const votes = new Map(group.assignors);
  const vote = (name: string | null, count: number): void => {
    if (name !== null) votes.set(name, (votes.get(name) ?? 0) + count);
  };
  vote(change?.before.serverAssignor ?? null, -1);
  vote(change?.after.serverAssignor ?? null, 1);
  let preferred: string | null = null;
  for (const [name, count] of votes) {
    if (count > 0 && (preferred === null || count > (votes.get(preferred) ?? 0))) preferred = name;
  }
  return preferred;
}
