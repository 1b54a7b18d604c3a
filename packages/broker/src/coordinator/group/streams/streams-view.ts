import { ErrorCodes } from '@ottla/protocol';
import type { GroupView } from '../group-view.ts';
import { memberCommitError, memberFetchError, type CommitRules } from '../modern/offset-checks.ts';
import type { StreamsGroup } from './streams-group.ts';
import type { StreamsMember } from './streams-member.ts';
import { groupTombstones } from './streams-record-builders.ts';

/** A streams group for the APIs that concern every kind. Offsets are committed for topics; its members have tasks. */
export function streamsView(group: StreamsGroup): GroupView {
  const rules: CommitRules<StreamsMember> = {
    members: group.members,
    isClassic: () => false,
    assignedSince({ assigned, pendingRevocation }, { name }, partition) {
      const subtopologyId = group.topology?.readers.get(name);
      if (subtopologyId === undefined) return undefined;
      return (
        assigned.active.get(subtopologyId)?.get(partition) ??
        pendingRevocation.active.get(subtopologyId)?.get(partition)
      );
    },
  };
  const isEmpty = group.members.size === 0;
  return {
    groupId: group.groupId,
    kind: 'streams',
    protocolType: 'streams',
    stateName: group.state,
    isEmpty,
    shouldExpire: true,
    commitError: (command) => memberCommitError(rules, command),
    timersAfterCommit: () => [],
    fetchError: (query) => memberFetchError(rules, query),
    offsetDeletionError: () => ErrorCodes.NONE,
    isSubscribedToTopic: (topic) => !isEmpty && group.topology?.readers.has(topic) === true,
    offsetsAgeSince: () => (offset) => offset.commitTimestampMs,
    deletionError: () => (isEmpty ? ErrorCodes.NONE : ErrorCodes.NON_EMPTY_GROUP),
    tombstones: () => groupTombstones(group),
  };
}
