import type { MetadataImage } from '../../../metadata/image.ts';
import type { GroupOutcome } from '../group-types.ts';
import { metadataHash } from '../modern/metadata-hash.ts';
import { subscribedTopicNames } from './share-assignment.ts';
import { epochRecord, memberTombstones } from './share-group-records.ts';
import type { ShareGroup } from './share-group.ts';
import { cancelMemberTimer } from './share-timers.ts';

/**
 * Removes a member that left or was not heard of: the group epoch moves on, and the next heartbeat of somebody else deals
 * out the partitions anew.
 */
export function removeMember(
  group: ShareGroup,
  memberId: string,
  image: MetadataImage,
): Pick<GroupOutcome, 'records' | 'timers'> {
  const { groupId, groupEpoch } = group;
  const members = [...group.members.values()].filter((member) => member.memberId !== memberId);
  const hash = metadataHash(subscribedTopicNames(members), image);
  return {
    records: [...memberTombstones(groupId, memberId), epochRecord(groupId, groupEpoch + 1, hash)],
    timers: [cancelMemberTimer(groupId, memberId)],
  };
}
