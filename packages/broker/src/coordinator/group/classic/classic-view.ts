import { ErrorCodes } from '@ottla/protocol';
import type { GroupView } from '../group-view.ts';
import type { CommittedOffset } from '../offsets/offset-store.ts';
import type { CommitCommand } from '../offsets/offset-types.ts';
import { CONSUMER_PROTOCOL_TYPE, isSubscribedToTopic, type ClassicGroup } from './classic-group.ts';
import { groupTombstone } from './group-metadata.ts';
import { memberTimerEffect } from './group-timers.ts';
import { memberError } from './membership.ts';

/** A classic group for the APIs that concern every kind. */
export function classicView(group: ClassicGroup): GroupView {
  const { groupId, state } = group;
  return {
    groupId,
    kind: 'classic',
    protocolType: group.protocolType ?? '',
    stateName: state,
    isEmpty: state === 'Empty',
    shouldExpire: true,
    commitError: (command) => commitError(group, command),
    timersAfterCommit(command) {
      const member = group.members.get(command.memberId);
      const keepsSession = state === 'Stable' || state === 'PreparingRebalance';
      return member !== undefined && keepsSession ? [memberTimerEffect(groupId, member)] : [];
    },
    fetchError: () => ErrorCodes.NONE,
    offsetDeletionError: () =>
      state === 'Empty' || group.protocolType === CONSUMER_PROTOCOL_TYPE
        ? ErrorCodes.NONE
        : ErrorCodes.NON_EMPTY_GROUP,
    isSubscribedToTopic: (topic) => isSubscribedToTopic(group, topic),
    offsetsAgeSince: () => offsetsAgeSince(group),
    deletionError: () => (state === 'Empty' ? ErrorCodes.NONE : ErrorCodes.NON_EMPTY_GROUP),
    tombstones: () => [groupTombstone(groupId)],
  };
}

function commitError(group: ClassicGroup, command: CommitCommand): number {
  const { generationId, memberId, groupInstanceId } = command;
  const isTransactional = command.producer !== null;
  // Offsets from outside of membership, by a standalone consumer or an administrator, need a group without members.
  if (generationId < 0 && group.state === 'Empty') return ErrorCodes.NONE;
  if (generationId < 0 && memberId === '' && groupInstanceId === null) {
    // Producers before KIP-447 say nothing of their consumer's membership.
    return isTransactional ? ErrorCodes.NONE : ErrorCodes.UNKNOWN_MEMBER_ID;
  }
  const errorCode = memberError(group, memberId, groupInstanceId);
  if (errorCode !== ErrorCodes.NONE) return errorCode;
  if (generationId !== group.generationId) return ErrorCodes.ILLEGAL_GENERATION;
  return group.state === 'CompletingRebalance' && !isTransactional
    ? ErrorCodes.REBALANCE_IN_PROGRESS
    : ErrorCodes.NONE;
}

/**
 * From when an offset ages depends on the group (KIP-211):
 *
 *     simple group (no protocol type)             since its commit
 *     empty group                                 since the group became empty
 *     stable consumer group                       since its commit, only in topics nobody subscribes to
 *     any other group                             not at all
 */
function offsetsAgeSince(group: ClassicGroup): ((offset: CommittedOffset) => number) | null {
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
