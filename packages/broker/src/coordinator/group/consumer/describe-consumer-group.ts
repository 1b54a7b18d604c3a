import { ErrorCodes } from '@ottla/protocol';
import type { MetadataImage } from '../../../metadata/image.ts';
import type { CommandContext } from '../command-context.ts';
import type { AssignedPartitions, TopicPartitions } from '../modern/topic-partitions.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerMember } from './consumer-member.ts';
import type {
  DescribedConsumerGroup,
  DescribedConsumerMember,
  DescribedPartitions,
} from './consumer-types.ts';
import { preferredAssignor } from './next-target.ts';

/** A consumer group with its members; one that does not exist, or is of another kind, has GROUP_ID_NOT_FOUND. */
export function describeConsumerGroup(groupId: string, context: CommandContext): DescribedConsumerGroup {
  const group = context.state.consumer.get(groupId);
  if (group === undefined) {
    const isOfOtherKind = context.state.kindOf(groupId) !== undefined;
    return {
      ...consumerGroupError(groupId, ErrorCodes.GROUP_ID_NOT_FOUND),
      errorMessage: `Group ${groupId} ${isOfOtherKind ? 'is not a consumer group' : 'not found'}.`,
    };
  }
  const image = context.image();
  return {
    ...consumerGroupError(groupId, ErrorCodes.NONE),
    groupState: group.state,
    groupEpoch: group.groupEpoch,
    assignmentEpoch: group.target.epoch,
    assignorName: preferredAssignor(group) ?? context.config.consumer.assignors[0] ?? '',
    members: Array.from(group.members.values(), (member) => describeMember(group, member, image)),
  };
}

/** What ConsumerGroupDescribe says of a group that could not be looked up. */
export function consumerGroupError(groupId: string, errorCode: number): DescribedConsumerGroup {
  return {
    errorCode,
    errorMessage: null,
    groupId,
    groupState: '',
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: '',
    members: [],
  };
}

function describeMember(
  group: ConsumerGroup,
  member: ConsumerMember,
  image: MetadataImage,
): DescribedConsumerMember {
  const { memberId, instanceId, rackId, memberEpoch, clientId, clientHost } = member;
  return {
    memberId,
    instanceId,
    rackId,
    memberEpoch,
    clientId,
    clientHost,
    subscribedTopicNames: [...member.subscribedTopicNames],
    subscribedTopicRegex: member.subscribedTopicRegex,
    // What it still has to give up is its own until it has.
    assignment: { topicPartitions: describe([member.assigned, member.pendingRevocation], image) },
    targetAssignment: { topicPartitions: describe([group.target.of(memberId)], image) },
    memberType: member.classic === null ? 1 : 0,
  };
}

function describe(
  parts: readonly (AssignedPartitions | TopicPartitions)[],
  image: MetadataImage,
): DescribedPartitions[] {
  const byTopic = new Map<string, DescribedPartitions>();
  for (const part of parts) {
    for (const [topicId, indexes] of part) {
      const topicName = image.topics.byId.get(topicId)?.name;
      if (topicName === undefined) continue;
      const described = byTopic.get(topicId) ?? { topicId, topicName, partitions: [] };
      described.partitions.push(...indexes.keys());
      byTopic.set(topicId, described);
    }
  }
  return [...byTopic.values()];
}
