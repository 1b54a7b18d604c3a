import { ErrorCodes, ProtocolError } from '@ottla/protocol';
import type { MetadataImage } from '../../../metadata/image.ts';
import { CoordinatorError } from '../../runtime/coordinator-error.ts';
import {
  CONSUMER_PROTOCOL_TYPE,
  metadataFor,
  NO_ASSIGNMENT,
  selectProtocol,
  type ClassicGroup,
  type ClassicMember,
} from '../classic/classic-group.ts';
import { dismissGroup } from '../classic/dismiss-group.ts';
import { groupTombstone } from '../classic/group-metadata.ts';
import type { CommandContext } from '../command-context.ts';
import { metadataHash } from '../modern/metadata-hash.ts';
import { assignedAt, fromEntries, NO_PARTITIONS, type TopicPartitions } from '../modern/topic-partitions.ts';
import { allowsUpgrade } from './consumer-group-config.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { MemberState, newMember, sortedNames, type ConsumerMember } from './consumer-member.ts';
import {
  currentAssignmentRecord,
  groupEpochRecord,
  memberRecord,
  targetEpochRecord,
  targetRecord,
} from './consumer-record-builders.ts';
import { ConsumerStep } from './consumer-step.ts';
import { readAssignment, readSubscription, toTopicIds } from './embedded-protocol.ts';

/**
 * A member of the consumer protocol joins a classic group: the group becomes a consumer group (KIP-848, online upgrade). An
 * empty one is replaced; one with members takes them along, with their generation as epoch and their assignment as target,
 * and they go on with the classic protocol.
 * @throws CoordinatorError GROUP_ID_NOT_FOUND when it may not or cannot be
 */
export function upgradeGroup(classic: ClassicGroup, context: CommandContext): ConsumerStep {
  const { groupId } = classic;
  if (classic.state === 'Empty') {
    const step = new ConsumerStep(new ConsumerGroup(groupId), context);
    step.include(dismissGroup(classic, context.nowMs));
    step.append(groupTombstone(groupId));
    return step;
  }
  requireUpgradable(classic, context);
  const group = convert(classic, context.image());
  const step = new ConsumerStep(group, context);
  step.include(dismissGroup(classic, context.nowMs));
  const members = [...group.members.values()];
  step.append(
    groupTombstone(groupId),
    ...members.map((member) => memberRecord(groupId, member)),
    groupEpochRecord(groupId, group.groupEpoch, group.metadataHash),
    ...members.map(({ memberId }) => targetRecord(groupId, memberId, group.target.of(memberId))),
    targetEpochRecord(groupId, group.target.epoch, group.target.timestampMs),
    ...members.map((member) => currentAssignmentRecord(groupId, member)),
  );
  for (const { memberId, classic: metadata } of members) {
    if (metadata !== null) step.startSession(memberId, metadata.sessionTimeoutMs);
  }
  return step;
}

function requireUpgradable(classic: ClassicGroup, { config }: CommandContext): void {
  const { groupId, protocolType, members } = classic;
  if (!allowsUpgrade(config.consumer)) throw refusal(groupId, 'online upgrade is disabled');
  if (protocolType !== CONSUMER_PROTOCOL_TYPE) {
    throw refusal(groupId, 'the group does not use the consumer embedded protocol');
  }
  if (members.size > config.consumer.maxSize) {
    throw refusal(groupId, 'the group size exceeds the consumer group maximum size');
  }
}

function refusal(groupId: string, reason: string): CoordinatorError {
  return new CoordinatorError(
    ErrorCodes.GROUP_ID_NOT_FOUND,
    `Cannot upgrade classic group ${groupId} to consumer group because ${reason}.`,
  );
}

function convert(classic: ClassicGroup, image: MetadataImage): ConsumerGroup {
  const { groupId, generationId } = classic;
  const protocolName = classic.protocolName ?? selectProtocol(classic);
  const group = new ConsumerGroup(groupId);
  group.groupEpoch = generationId;
  group.target.epoch = generationId;
  try {
    for (const member of classic.members.values()) {
      const partitions = assignmentOf(groupId, member, image);
      group.target.set(member.memberId, partitions);
      group.setMember(convertMember(member, { partitions, generationId, protocolName }));
    }
  } catch (failure) {
    if (!(failure instanceof ProtocolError)) throw failure;
    throw refusal(groupId, 'the embedded consumer protocol is malformed');
  }
  group.metadataHash = metadataHash(group.subscriptions.names(), image);
  return group;
}

function assignmentOf(groupId: string, { assignment }: ClassicMember, image: MetadataImage): TopicPartitions {
  if (assignment.length === 0) return NO_PARTITIONS;
  const { assignedPartitions, userData } = readAssignment(assignment);
  // What an assignor of the client's own keeps there would be lost.
  if ((userData?.length ?? 0) > 0) {
    throw refusal(
      groupId,
      'an unsupported custom assignor is in use. Please refer to the documentation or switch to a default assignor before re-attempting the upgrade',
    );
  }
  return fromEntries(toTopicIds(assignedPartitions, image));
}

function convertMember(
  member: ClassicMember,
  how: { partitions: TopicPartitions; generationId: number; protocolName: string },
): ConsumerMember {
  const { generationId, partitions } = how;
  const subscription = readSubscription(metadataFor(member, how.protocolName) ?? NO_ASSIGNMENT);
  return {
    ...newMember(member.memberId),
    memberEpoch: generationId,
    previousMemberEpoch: generationId,
    state: MemberState.stable,
    instanceId: member.groupInstanceId,
    rackId: subscription.rackId === '' ? null : subscription.rackId,
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: sortedNames(subscription.topics),
    assigned: assignedAt(partitions, generationId),
    classic: {
      sessionTimeoutMs: member.sessionTimeoutMs,
      supportedProtocols: member.protocols.map(({ name, metadata }) => ({ name, metadata })),
    },
  };
}
