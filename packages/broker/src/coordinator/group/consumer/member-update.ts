import { sameAssigned, type TopicPartitionsEntry } from '../modern/topic-partitions.ts';
import type { ConsumerMember } from './consumer-member.ts';
import { MemberState, sameMetadata, sameMember, sameNames } from './consumer-member.ts';
import { currentAssignmentRecord, memberRecord } from './consumer-record-builders.ts';
import type { ConsumerStep } from './consumer-step.ts';
import type { MemberTarget } from './next-target.ts';
import { reconcile } from './reconcile.ts';
import { subscribedTopicIds } from './subscriptions.ts';

/** Writes down what a member now says of itself, if that is news; true when it names other topics than before. */
export function updateMetadata(step: ConsumerStep, before: ConsumerMember, after: ConsumerMember): boolean {
  if (sameMetadata(before, after)) return false;
  step.append(memberRecord(step.groupId, after));
  return !sameNames(before.subscribedTopicNames, after.subscribedTopicNames);
}

/** Brings a member closer to its target, and writes down where it stands then. */
export function reconcileMember(
  step: ConsumerStep,
  member: ConsumerMember,
  how: {
    readonly target: MemberTarget;
    readonly hasSubscriptionChanged: boolean;
    readonly owned: readonly TopicPartitionsEntry[] | null;
  },
): ConsumerMember {
  const { group } = step;
  const reconciled = reconcile(member, {
    targetEpoch: how.target.epoch,
    target: how.target.partitions,
    subscribedTopicIds: subscribedTopicIds(member, group.resolvedRegexes, step.image),
    hasSubscriptionChanged: how.hasSubscriptionChanged,
    partitionEpoch: (topicId, partition) => group.partitionEpoch(topicId, partition),
    owned: how.owned,
  });
  if (sameMember(member, reconciled)) return member;
  step.append(currentAssignmentRecord(group.groupId, reconciled));
  if (reconciled.classic === null) {
    if (reconciled.state === MemberState.unrevokedPartitions) step.startRebalance(reconciled);
    else step.cancelMemberTimer('rebalance', reconciled.memberId);
  }
  return reconciled;
}

/** Whether a member owns something else than before. */
export function hasAssignmentChanged(before: ConsumerMember, after: ConsumerMember): boolean {
  return !sameAssigned(before.assigned, after.assigned);
}
