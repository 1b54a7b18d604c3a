import { ErrorCodes } from '@ottla/protocol';
import { CoordinatorError } from '../../runtime/coordinator-error.ts';
import { CONSUMER_PROTOCOL_TYPE } from '../classic/classic-group.ts';
import { UNKNOWN_MEMBER_ID, type JoinCommand, type JoinReply } from '../classic/classic-types.ts';
import type { CommandContext } from '../command-context.ts';
import type { GroupOutcome } from '../group-types.ts';
import { isMetadataChecked } from '../modern/metadata-hash.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { requireRoom } from './consumer-heartbeat.ts';
import { sortedNames, type ConsumerMember } from './consumer-member.ts';
import { ConsumerStep } from './consumer-step.ts';
import { downgradeGroup, mayDowngradeReplacing } from './downgrade.ts';
import { readSubscription, toTopicIds } from './embedded-protocol.ts';
import { findMember } from './find-member.ts';
import { reconcileMember, updateMetadata } from './member-update.ts';
import { currentTarget, nextTarget } from './next-target.ts';
import { followRegex } from './regex-refresh.ts';
import { nextGroupEpoch } from './subscriptions.ts';

/**
 * JoinGroup in a consumer group with members (KIP-848's compatible path): the subscription that the member embeds counts as
 * if it had come in a heartbeat, its epoch is its generation, and it fetches its assignment by SyncGroup. Nobody waits for
 * anybody.
 * @throws CoordinatorError with Kafka's error code
 */
export function joinAsClassicMember(
  group: ConsumerGroup,
  command: JoinCommand,
  context: CommandContext,
): GroupOutcome {
  const step = new ConsumerStep(group, context);
  const { config } = context;
  const isUnknown = command.memberId === UNKNOWN_MEMBER_ID;
  const memberId = isUnknown ? command.newMemberId : command.memberId;
  if (config.consumer.migrationPolicy === 'disabled') {
    throw new CoordinatorError(ErrorCodes.INCONSISTENT_GROUP_PROTOCOL);
  }
  requireRoom(group, memberId, config.consumer.maxSize);
  requireProtocols(group, command);
  if (isUnknown && command.requireKnownMemberId && command.groupInstanceId === null) {
    step.reply({ ...reply(memberId, command, 0), errorCode: ErrorCodes.MEMBER_ID_REQUIRED, ...NOTHING_YET });
    return step.finish();
  }
  const replaced = group.staticMember(command.groupInstanceId);
  const before = findMember(step, {
    memberId,
    instanceId: command.groupInstanceId,
    memberEpoch: -1,
    owned: [],
    joins: command.groupInstanceId === null || isUnknown,
    usesClassicProtocol: true,
  });
  const member = follow(step, { before, replaced, memberId }, command);
  step.reply(reply(memberId, command, member.memberEpoch));
  return step.finish();
}

const NOTHING_YET = { generationId: -1, protocolType: null, protocolName: null } as const;

function reply(memberId: string, { protocols }: JoinCommand, generationId: number): JoinReply {
  return {
    errorCode: ErrorCodes.NONE,
    generationId,
    protocolType: CONSUMER_PROTOCOL_TYPE,
    protocolName: protocols[0]?.name ?? null,
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  };
}

/** Members of the classic protocol have to share an embedded protocol, as in a classic group. */
function requireProtocols(group: ConsumerGroup, { protocolType, protocols }: JoinCommand): void {
  const isSupported =
    protocolType === CONSUMER_PROTOCOL_TYPE &&
    protocols.some(({ name }) => (group.classicProtocols.get(name) ?? 0) === group.classicMembers);
  if (!isSupported) throw new CoordinatorError(ErrorCodes.INCONSISTENT_GROUP_PROTOCOL);
}

function follow(
  step: ConsumerStep,
  who: { before: ConsumerMember; replaced: ConsumerMember | undefined; memberId: string },
  command: JoinCommand,
): ConsumerMember {
  const { group } = step;
  const { before, replaced, memberId } = who;
  const subscription = readSubscription(command.protocols[0]?.metadata ?? Buffer.alloc(0));
  const after: ConsumerMember = {
    ...before,
    instanceId: command.groupInstanceId ?? before.instanceId,
    rackId: subscription.rackId || before.rackId,
    rebalanceTimeoutMs:
      command.rebalanceTimeoutMs === -1 ? before.rebalanceTimeoutMs : command.rebalanceTimeoutMs,
    subscribedTopicNames: sortedNames(subscription.topics),
    subscribedTopicRegex: '',
    clientId: command.clientId,
    clientHost: command.clientHost,
    classic: {
      sessionTimeoutMs: command.sessionTimeoutMs,
      supportedProtocols: command.protocols.map(({ name, metadata }) => ({ name, metadata })),
    },
  };
  const namesChanged = updateMetadata(step, before, after);
  const hasSubscriptionChanged = followRegex(step, before, after).hasChanged || namesChanged;
  const next =
    hasSubscriptionChanged || !isMetadataChecked(group, step.image)
      ? nextGroupEpoch(step, { before, after, mustBump: hasSubscriptionChanged })
      : { groupEpoch: group.groupEpoch, subscriptionType: group.subscriptionType };
  const owned = toTopicIds(subscription.ownedPartitions, step.image);
  if (replaced !== undefined && mayDowngradeReplacing(step, replaced)) {
    const rebalance = group.target.epoch < next.groupEpoch;
    const target = { epoch: group.target.epoch, partitions: currentTarget(group, after) };
    const joining = rebalance
      ? after
      : reconcileMember(step, after, { target, hasSubscriptionChanged, owned });
    downgradeGroup(step, { leaving: [], joining, rebalance });
    return joining;
  }
  const target = nextTarget(step, after, { before, next });
  const member = reconcileMember(step, after, { target, hasSubscriptionChanged, owned });
  step.cancelMemberTimer('join', memberId);
  step.startSession(memberId, command.sessionTimeoutMs);
  step.startSync(memberId, command.rebalanceTimeoutMs);
  return member;
}
