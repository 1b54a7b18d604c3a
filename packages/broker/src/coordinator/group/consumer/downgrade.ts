import {
  CONSUMER_PROTOCOL_TYPE,
  emptyGroup,
  metadataFor,
  NO_ASSIGNMENT,
  selectProtocol,
  type ClassicMember,
} from '../classic/classic-group.ts';
import { groupMetadataRecord } from '../classic/group-metadata.ts';
import { rescheduleMember } from '../classic/group-timers.ts';
import { GroupTransition } from '../classic/group-transition.ts';
import { addMember } from '../classic/membership.ts';
import { prepareRebalance } from '../classic/rebalance.ts';
import { computeSubscribedTopics } from '../classic/subscribed-topics.ts';
import { allowsDowngrade } from './consumer-group-config.ts';
import type { ConsumerMember } from './consumer-member.ts';
import { groupTombstones } from './consumer-record-builders.ts';
import type { ConsumerStep } from './consumer-step.ts';
import { writeAssignment } from './embedded-protocol.ts';

/** Whether only members of the classic protocol, and any at all, are left when these leave, and the group may follow them. */
export function mayDowngradeWithout(
  { group, context }: ConsumerStep,
  leaving: readonly ConsumerMember[],
): boolean {
  const left = group.members.size - leaving.length;
  const classicLeaving = leaving.filter(({ classic }) => classic !== null).length;
  return (
    left > 0 &&
    group.classicMembers - classicLeaving === left &&
    allowsDowngrade(context.config.consumer) &&
    left <= context.config.maxSize
  );
}

/** Whether this static member is the last one of the consumer protocol, and the group may follow who takes its place. */
export function mayDowngradeReplacing({ group, context }: ConsumerStep, replaced: ConsumerMember): boolean {
  return (
    replaced.classic === null &&
    group.classicMembers === group.members.size - 1 &&
    allowsDowngrade(context.config.consumer) &&
    group.members.size <= context.config.maxSize
  );
}

/** Who is not in the classic group any more, and who joins it in the place of the static member of its instance id. */
export interface Downgrade {
  readonly leaving: readonly ConsumerMember[];
  readonly joining: ConsumerMember | null;
  readonly rebalance: boolean;
}

/**
 * Makes a classic group of a consumer group (KIP-848, online downgrade): with its epoch as generation, its targets as
 * assignments, and a rebalance when these are not what the members should have.
 */
export function downgradeGroup(step: ConsumerStep, downgrade: Downgrade): void {
  const { group, context, image, groupId } = step;
  const { leaving, joining } = downgrade;
  const replaced = joining === null ? undefined : group.staticMember(joining.instanceId);
  const ids = Array.from(group.members.keys(), (id) =>
    id === replaced?.memberId ? (joining?.memberId ?? id) : id,
  );
  step.append(...groupTombstones(group, ids));
  for (const memberId of group.members.keys()) step.cancelMemberTimers(memberId);
  const transition = new GroupTransition(
    {
      ...emptyGroup(groupId, context.nowMs),
      state: 'Stable',
      previousState: 'Stable',
      generationId: group.groupEpoch,
      protocolType: CONSUMER_PROTOCOL_TYPE,
    },
    context.nowMs,
  );
  const gone = new Set([...leaving.map(({ memberId }) => memberId), replaced?.memberId]);
  for (const member of group.members.values()) {
    if (!gone.has(member.memberId)) addMember(transition, classicMember(member), CONSUMER_PROTOCOL_TYPE);
  }
  if (joining !== null) addMember(transition, classicMember(joining), CONSUMER_PROTOCOL_TYPE);
  const classic = transition.group;
  classic.protocolName = selectProtocol(classic);
  classic.subscribedTopics = computeSubscribedTopics(classic);
  const assignments = new Map<string, Buffer>();
  for (const member of classic.members.values()) {
    const { memberId } = member;
    const owner = memberId === joining?.memberId ? (replaced?.memberId ?? memberId) : memberId;
    const subscription = metadataFor(member, classic.protocolName) ?? NO_ASSIGNMENT;
    const assignment = writeAssignment(group.target.of(owner), { subscription, image });
    assignments.set(memberId, assignment);
    transition.setMember({ ...member, assignment });
    rescheduleMember(transition, member);
  }
  transition.append(groupMetadataRecord(classic, assignments));
  if (downgrade.rebalance) prepareRebalance(transition, context.config);
  step.include(transition.finish());
}

function classicMember(member: ConsumerMember): ClassicMember {
  return {
    memberId: member.memberId,
    groupInstanceId: member.instanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    sessionTimeoutMs: member.classic?.sessionTimeoutMs ?? member.rebalanceTimeoutMs,
    protocols: member.classic?.supportedProtocols ?? [],
    assignment: NO_ASSIGNMENT,
    awaitingJoin: null,
    awaitingSync: null,
    isNew: false,
  };
}
