import { ErrorCodes } from '@ottla/protocol';
import type { GroupView } from '../group-view.ts';
import { groupTombstones } from './share-group-records.ts';
import type { ShareGroup } from './share-group.ts';

/** A share group for the APIs that concern every kind. It has no committed offsets: its state is at the share coordinator. */
export function shareView(group: ShareGroup): GroupView {
  const { groupId } = group;
  const isEmpty = group.members.size === 0;
  return {
    groupId,
    kind: 'share',
    protocolType: 'share',
    stateName: shareGroupState(group),
    isEmpty,
    // Its states are kept until somebody deletes it: without it they would begin anew.
    shouldExpire: false,
    commitError: () => ErrorCodes.GROUP_ID_NOT_FOUND,
    timersAfterCommit: () => [],
    // As in Kafka: whoever asks is told that nothing is committed.
    fetchError: () => ErrorCodes.NONE,
    offsetDeletionError: () => ErrorCodes.GROUP_ID_NOT_FOUND,
    isSubscribedToTopic: (topic) =>
      [...group.members.values()].some(({ subscribedTopicNames }) => subscribedTopicNames.includes(topic)),
    offsetsAgeSince: () => null,
    deletionError: () => (isEmpty ? ErrorCodes.NONE : ErrorCodes.NON_EMPTY_GROUP),
    tombstones: () => groupTombstones(groupId),
  };
}

/** Kafka's name of a share group's state. */
export function shareGroupState({ members }: ShareGroup): string {
  return members.size === 0 ? 'Empty' : 'Stable';
}
