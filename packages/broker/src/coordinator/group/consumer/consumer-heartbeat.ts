import { ErrorCodes } from '@ottla/protocol';
import { CoordinatorError } from '../../runtime/coordinator-error.ts';
import type { CommandContext } from '../command-context.ts';
import type { GroupOutcome } from '../group-types.ts';
import { isMetadataChecked } from '../modern/metadata-hash.ts';
import { toEntries } from '../modern/topic-partitions.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { JOINING_EPOCH, sortedNames, type ConsumerMember } from './consumer-member.ts';
import { ConsumerStep } from './consumer-step.ts';
import type { ConsumerHeartbeatCommand, ConsumerHeartbeatReply } from './consumer-types.ts';
import { findMember } from './find-member.ts';
import { hasAssignmentChanged, reconcileMember, updateMetadata } from './member-update.ts';
import { nextTarget } from './next-target.ts';
import { followRegex } from './regex-refresh.ts';
import { nextGroupEpoch } from './subscriptions.ts';
import { upgradeGroup } from './upgrade.ts';

/**
 * ConsumerGroupHeartbeat of a member that joins or is there: what it says of itself moves the group epoch, that moves the
 * target, and that the member, as far as each may move now.
 * @throws CoordinatorError with Kafka's error code and message
 */
export function consumerHeartbeat(command: ConsumerHeartbeatCommand, context: CommandContext): GroupOutcome {
  const { groupId, memberId } = command;
  const step = stepFor(command, context);
  const { group } = step;
  requireRoom(group, memberId, context.config.consumer.maxSize);
  const before = findMember(step, {
    memberId,
    instanceId: command.instanceId,
    memberEpoch: command.memberEpoch,
    owned: command.topicPartitions,
    joins: command.memberEpoch === JOINING_EPOCH,
    usesClassicProtocol: false,
  });
  const after = withNews(before, command);
  const namesChanged = updateMetadata(step, before, after);
  const regex = followRegex(step, before, after);
  const mustBump = namesChanged || (regex.hasChanged && regex.isResolved);
  const next =
    mustBump || !isMetadataChecked(group, step.image)
      ? nextGroupEpoch(step, { before, after, mustBump })
      : { groupEpoch: group.groupEpoch, subscriptionType: group.subscriptionType };
  const target = nextTarget(step, after, { before, next });
  const member = reconcileMember(step, after, {
    target,
    hasSubscriptionChanged: namesChanged || regex.hasChanged,
    owned: command.topicPartitions,
  });
  const { sessionTimeoutMs, heartbeatIntervalMs } = context.consumerTimings(groupId);
  step.startSession(memberId, sessionTimeoutMs);
  const reply: ConsumerHeartbeatReply = {
    memberId,
    memberEpoch: member.memberEpoch,
    heartbeatIntervalMs,
    assignment: tellsAll(command) || hasAssignmentChanged(before, member) ? toEntries(member.assigned) : null,
  };
  step.reply(reply);
  return step.finish();
}

/** The group of a heartbeat: known, new, or made of the classic group of this id. */
function stepFor(command: ConsumerHeartbeatCommand, context: CommandContext): ConsumerStep {
  const { groupId, memberEpoch } = command;
  const { state } = context;
  const existing = state.consumer.get(groupId);
  if (existing !== undefined) return new ConsumerStep(existing, context);
  const kind = state.kindOf(groupId);
  if (kind === undefined && memberEpoch === JOINING_EPOCH) {
    return new ConsumerStep(new ConsumerGroup(groupId), context);
  }
  const classic = state.classicGroup(groupId);
  if (classic !== undefined && memberEpoch === JOINING_EPOCH) return upgradeGroup(classic, context);
  throw notFound(groupId, kind !== undefined);
}

/** The refusal for a group that is not there, or is of another kind. */
function notFound(groupId: string, isOfOtherKind: boolean): CoordinatorError {
  return new CoordinatorError(
    ErrorCodes.GROUP_ID_NOT_FOUND,
    isOfOtherKind ? `Group ${groupId} is not a consumer group.` : `Consumer group ${groupId} not found.`,
  );
}

/** Refuses a new member of a group that is full. */
export function requireRoom(group: ConsumerGroup, memberId: string, maxSize: number): void {
  if (group.members.size < maxSize || group.members.has(memberId)) return;
  throw new CoordinatorError(
    ErrorCodes.GROUP_MAX_SIZE_REACHED,
    `The consumer group has reached its maximum capacity of ${maxSize} members.`,
  );
}

function withNews(member: ConsumerMember, command: ConsumerHeartbeatCommand): ConsumerMember {
  const { subscribedTopicNames, rebalanceTimeoutMs } = command;
  if (!hasNews(member, command)) return member;
  return {
    ...member,
    instanceId: command.instanceId ?? member.instanceId,
    rackId: command.rackId ?? member.rackId,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : rebalanceTimeoutMs,
    serverAssignor: command.serverAssignor ?? member.serverAssignor,
    subscribedTopicNames:
      subscribedTopicNames === null ? member.subscribedTopicNames : sortedNames(subscribedTopicNames),
    subscribedTopicRegex: command.subscribedTopicRegex ?? member.subscribedTopicRegex,
    clientId: command.clientId,
    clientHost: command.clientHost,
    classic: null,
  };
}

/** Most heartbeats say nothing but that the member is alive. */
function hasNews(member: ConsumerMember, command: ConsumerHeartbeatCommand): boolean {
  return (
    command.subscribedTopicNames !== null ||
    command.subscribedTopicRegex !== null ||
    command.serverAssignor !== null ||
    command.rebalanceTimeoutMs !== -1 ||
    command.rackId !== null ||
    command.instanceId !== member.instanceId ||
    command.clientId !== member.clientId ||
    command.clientHost !== member.clientHost ||
    member.classic !== null
  );
}

/** A request with every field wants an answer with every field. */
function tellsAll(command: ConsumerHeartbeatCommand): boolean {
  if (command.memberEpoch === JOINING_EPOCH) return true;
  const subscribes = command.subscribedTopicNames !== null || command.subscribedTopicRegex !== null;
  return command.rebalanceTimeoutMs !== -1 && subscribes && command.topicPartitions !== null;
}
