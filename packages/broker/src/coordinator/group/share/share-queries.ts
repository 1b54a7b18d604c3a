import { ErrorCodes } from '@ottla/protocol';
import type { TopicsImage } from '../../../metadata/image.ts';
import type { Assignment, ShareGroup } from './share-group.ts';
import type { DescribedShareGroup } from './share-group-types.ts';
import { shareGroupState } from './share-view.ts';

const ASSIGNOR = 'simple';

/** A share group as ShareGroupDescribe shows it; topics that are no more are left out of assignments. */
export function describeShareGroup(group: ShareGroup, topics: TopicsImage): DescribedShareGroup {
  return {
    errorCode: ErrorCodes.NONE,
    errorMessage: null,
    groupId: group.groupId,
    groupState: shareGroupState(group),
    groupEpoch: group.groupEpoch,
    assignmentEpoch: group.assignmentEpoch,
    assignorName: ASSIGNOR,
    members: Array.from(group.members.values(), (member) => ({
      memberId: member.memberId,
      rackId: member.rackId,
      memberEpoch: member.memberEpoch,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: member.subscribedTopicNames,
      assignment: describeAssignment(member.assigned, topics),
    })),
  };
}

/** What ShareGroupDescribe says of a group that could not be looked up. */
export function describedShareError(
  groupId: string,
  errorCode: number,
  errorMessage: string | null,
): DescribedShareGroup {
  return {
    errorCode,
    errorMessage,
    groupId,
    groupState: '',
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: '',
    members: [],
  };
}

function describeAssignment(
  assignment: Assignment,
  topics: TopicsImage,
): DescribedShareGroup['members'][number]['assignment'] {
  return [...assignment].flatMap(([topicId, partitions]) => {
    const topicName = topics.byId.get(topicId)?.name;
    return topicName === undefined ? [] : [{ topicId, topicName, partitions }];
  });
}
