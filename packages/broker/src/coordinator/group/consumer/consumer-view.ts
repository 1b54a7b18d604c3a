import { ErrorCodes } from '@ottla/protocol';
import type { GroupView } from '../group-view.ts';
import { memberCommitError, memberFetchError, type CommitRules } from '../modern/offset-checks.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerMember } from './consumer-member.ts';
import { groupTombstones } from './consumer-record-builders.ts';

/** A consumer group for the APIs that concern every kind. */
export function consumerView(group: ConsumerGroup): GroupView {
  const rules: CommitRules<ConsumerMember> = {
    members: group.members,
    isClassic: ({ classic }) => classic !== null,
    assignedSince: ({ assigned, pendingRevocation }, { topicId }, partition) =>
      assigned.get(topicId)?.get(partition) ?? pendingRevocation.get(topicId)?.get(partition),
  };
  return {
    groupId: group.groupId,
    kind: 'consumer',
    protocolType: 'consumer',
    stateName: group.state,
    isEmpty: group.members.size === 0,
    shouldExpire: true,
    commitError: (command) => memberCommitError(rules, command),
    timersAfterCommit: () => [],
    fetchError: (query) => memberFetchError(rules, query),
    offsetDeletionError: () => ErrorCodes.NONE,
    isSubscribedToTopic: (topic) => group.subscriptions.has(topic),
    offsetsAgeSince: () => (offset) => offset.commitTimestampMs,
    deletionError: () => (group.members.size === 0 ? ErrorCodes.NONE : ErrorCodes.NON_EMPTY_GROUP),
    tombstones: () => groupTombstones(group),
  };
}
