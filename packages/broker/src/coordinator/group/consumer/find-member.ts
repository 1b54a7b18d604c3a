import { ErrorCodes } from '@ottla/protocol';
import { CoordinatorError } from '../../runtime/coordinator-error.ts';
import { containsAll, type TopicPartitionsEntry } from '../modern/topic-partitions.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { newMember, STATIC_LEAVING_EPOCH, type ConsumerMember } from './consumer-member.ts';
import {
  currentAssignmentRecord,
  memberRecord,
  memberTombstones,
  targetRecord,
} from './consumer-record-builders.ts';
import type { ConsumerStep } from './consumer-step.ts';

/** Who a request says it is from. */
export interface MemberIdentity {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly memberEpoch: number;
  readonly owned: readonly TopicPartitionsEntry[] | null;
  /** It may be new. */
  readonly joins: boolean;
  readonly usesClassicProtocol: boolean;
}

/**
 * The member that a request is from, new or known; a static member that comes back under a new id takes the place of the
 * old one.
 * @throws CoordinatorError UNKNOWN_MEMBER_ID, FENCED_MEMBER_EPOCH, FENCED_INSTANCE_ID, UNRELEASED_INSTANCE_ID
 */
export function findMember(step: ConsumerStep, identity: MemberIdentity): ConsumerMember {
  const { group } = step;
  const { memberId, instanceId, joins, usesClassicProtocol } = identity;
  if (instanceId !== null) return findStaticMember(step, identity, instanceId);
  const member =
    group.members.get(memberId) ?? (joins ? newMember(memberId) : unknownMember(group, memberId));
  if (!usesClassicProtocol) requireEpoch(member, identity);
  return member;
}

function findStaticMember(step: ConsumerStep, identity: MemberIdentity, instanceId: string): ConsumerMember {
  const { group } = step;
  const { memberId, usesClassicProtocol } = identity;
  const existing = group.staticMember(instanceId);
  if (identity.joins) {
    if (existing === undefined) return group.members.get(memberId) ?? newMember(memberId);
    if (!usesClassicProtocol && existing.classic === null) requireReleased(existing, memberId, instanceId);
    return replaceMember(step, existing, memberId);
  }
  const member = requireStaticMember(group, memberId, instanceId);
  if (!usesClassicProtocol) requireEpoch(member, identity);
  return member;
}

/**
 * The static member of an instance id, if `memberId` is its member id.
 * @throws CoordinatorError UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID
 */
export function requireStaticMember(
  group: ConsumerGroup,
  memberId: string,
  instanceId: string,
): ConsumerMember {
  const member = group.staticMember(instanceId);
  if (member === undefined) {
    throw new CoordinatorError(ErrorCodes.UNKNOWN_MEMBER_ID, `Instance id ${instanceId} is unknown.`);
  }
  if (member.memberId !== memberId) {
    throw new CoordinatorError(
      ErrorCodes.FENCED_INSTANCE_ID,
      `Static member ${memberId} with instance id ${instanceId} was fenced by member ${member.memberId}.`,
    );
  }
  return member;
}

/**
 * A dynamic member of a group, by its id.
 * @throws CoordinatorError UNKNOWN_MEMBER_ID
 */
export function requireMember(group: ConsumerGroup, memberId: string): ConsumerMember {
  return group.members.get(memberId) ?? unknownMember(group, memberId);
}

function unknownMember({ groupId }: ConsumerGroup, memberId: string): never {
  throw new CoordinatorError(
    ErrorCodes.UNKNOWN_MEMBER_ID,
    `Member ${memberId} is not a member of group ${groupId}.`,
  );
}

function requireReleased(existing: ConsumerMember, memberId: string, instanceId: string): void {
  if (existing.memberEpoch === STATIC_LEAVING_EPOCH) return;
  throw new CoordinatorError(
    ErrorCodes.UNRELEASED_INSTANCE_ID,
    `Static member ${memberId} with instance id ${instanceId} cannot join the group because the instance id is owned by ${existing.memberId} member.`,
  );
}

/** A member may be one epoch behind when the answer to its last heartbeat got lost: then it owns a part of what it was given. */
function requireEpoch(member: ConsumerMember, { memberEpoch: received, owned }: MemberIdentity): void {
  if (received === 0 || received === member.memberEpoch) return;
  const isBehind =
    received < member.memberEpoch &&
    received === member.previousMemberEpoch &&
    owned !== null &&
    containsAll(member.assigned, owned);
  if (isBehind) return;
  const order = received > member.memberEpoch ? 'greater' : 'smaller';
  throw new CoordinatorError(
    ErrorCodes.FENCED_MEMBER_EPOCH,
    `The consumer group member has a ${order} member epoch (${received}) than the one known by the group coordinator (${member.memberEpoch}). The member must abandon all its partitions and rejoin.`,
  );
}

function replaceMember(step: ConsumerStep, old: ConsumerMember, memberId: string): ConsumerMember {
  const { groupId, target } = step.group;
  const renewed = { ...old, memberId, memberEpoch: 0, previousMemberEpoch: 0 };
  step.append(
    ...memberTombstones(groupId, old.memberId),
    memberRecord(groupId, renewed),
    targetRecord(groupId, memberId, target.of(old.memberId)),
    currentAssignmentRecord(groupId, renewed),
  );
  step.cancelMemberTimers(old.memberId);
  return renewed;
}
