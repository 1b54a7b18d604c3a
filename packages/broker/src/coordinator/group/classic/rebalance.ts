import { ErrorCodes } from '@ottla/protocol';
import {
  NO_ASSIGNMENT,
  hasAllMembersJoined,
  isLeader,
  metadataFor,
  rebalanceTimeoutMs,
  selectProtocol,
  type ClassicGroup,
} from './classic-group.ts';
import type { GroupCoordinatorConfig } from '../group-coordinator-config.ts';
import { groupMetadataRecord } from './group-metadata.ts';
import { cancelMember, joinTimer, rescheduleMember, syncTimer } from './group-timers.ts';
import type { GroupTransition } from './group-transition.ts';
import type { JoinReply, JoinReplyMember } from './classic-types.ts';
import { maybeElectNewJoinedLeader, removeMember } from './membership.ts';
import { computeSubscribedTopics } from './subscribed-topics.ts';

/** Starts a rebalance where the state allows it, otherwise ends the join phase if the last one it waited for is there. */
export function prepareRebalanceOrCompleteJoin(step: GroupTransition, config: GroupCoordinatorConfig): void {
  if (step.group.state === 'PreparingRebalance') maybeCompleteJoin(step);
  else prepareRebalance(step, config);
}

/**
 * Enters PreparingRebalance. A first rebalance waits `group.initial.rebalance.delay.ms`, and again as long as new members
 * come, so that a fleet that starts together is assigned once (KIP-134); later ones wait for those who are known.
 */
export function prepareRebalance(step: GroupTransition, config: GroupCoordinatorConfig): void {
  const { group } = step;
  if (group.state === 'CompletingRebalance') {
    refuseAwaitingSyncs(step, ErrorCodes.REBALANCE_IN_PROGRESS);
  }
  clearPendingSyncs(step);
  const isInitial = group.state === 'Empty';
  step.enter('PreparingRebalance');
  if (!isInitial) {
    completeJoinOrSchedule(step);
    return;
  }
  const delayMs = config.initialRebalanceDelayMs;
  const remainingMs = Math.max(rebalanceTimeoutMs(group) - delayMs, 0);
  scheduleInitialDelay(step, delayMs, remainingMs);
}

/** The initial delay is over: waits once more if somebody joined meanwhile, otherwise ends the join phase. */
export function initialDelayOver(
  step: GroupTransition,
  { delayMs, remainingMs }: { readonly delayMs: number; readonly remainingMs: number },
  config: GroupCoordinatorConfig,
): void {
  if (!step.group.newMemberAdded || remainingMs === 0) {
    completeJoin(step);
    return;
  }
  step.group.newMemberAdded = false;
  const nextDelayMs = Math.min(config.initialRebalanceDelayMs, remainingMs);
  scheduleInitialDelay(step, nextDelayMs, Math.max(remainingMs - delayMs, 0));
}

function scheduleInitialDelay(step: GroupTransition, delayMs: number, remainingMs: number): void {
  const { groupId } = step.group;
  step.schedule(joinTimer(groupId), delayMs, { type: 'initial-delay-over', groupId, delayMs, remainingMs });
}

/** Ends the join phase of a rebalance that is under way if nobody is missing. An initial one ends by its delay only. */
export function maybeCompleteJoin(step: GroupTransition): void {
  const { group } = step;
  if (group.state === 'PreparingRebalance' && group.previousState !== 'Empty' && hasAllMembersJoined(group)) {
    completeJoin(step);
  }
}

function completeJoinOrSchedule(step: GroupTransition): void {
  if (hasAllMembersJoined(step.group)) completeJoin(step);
  else scheduleJoinExpiry(step);
}

function scheduleJoinExpiry(step: GroupTransition): void {
  const { groupId } = step.group;
  step.schedule(joinTimer(groupId), rebalanceTimeoutMs(step.group), { type: 'join-expired', groupId });
}

/**
 * Ends the join phase: dynamic members that have not rejoined are out, the next generation begins, and everybody learns
 * of it. Static members stay, absent or not, until their session ends.
 */
export function completeJoin(step: GroupTransition): void {
  const { group } = step;
  step.cancel(joinTimer(group.groupId));
  for (const member of group.members.values()) {
    if (member.awaitingJoin !== null || member.groupInstanceId !== null) continue;
    removeMember(step, member.memberId);
    cancelMember(step, member.memberId);
  }
  if (!maybeElectNewJoinedLeader(step) && group.members.size > 0) {
    // Only absent static members are left: wait for one of them, or for their sessions to end.
    scheduleJoinExpiry(step);
    return;
  }
  group.generationId++;
  if (group.members.size === 0) enterEmpty(step);
  else enterCompletingRebalance(step);
}

function enterEmpty(step: GroupTransition): void {
  const { group } = step;
  group.protocolName = null;
  group.subscribedTopics = computeSubscribedTopics(group);
  group.pendingSyncMembers = new Set();
  step.enter('Empty');
  // When this write fails the log still holds the generation before, with members that will expire after a restart.
  step.append(groupMetadataRecord(group, new Map()));
}

function enterCompletingRebalance(step: GroupTransition): void {
  const { group } = step;
  group.protocolName = selectProtocol(group);
  group.subscribedTopics = computeSubscribedTopics(group);
  step.enter('CompletingRebalance');
  for (const { memberId } of group.members.values()) {
    step.completeJoin(memberId, joinedReply(group, memberId));
    const member = step.member(memberId);
    if (member === undefined) continue;
    rescheduleMember(step, member);
    if (member.isNew) step.setMember({ ...member, isNew: false });
  }
  group.pendingSyncMembers = new Set(group.members.keys());
  const { groupId, generationId } = group;
  step.schedule(syncTimer(groupId), rebalanceTimeoutMs(group), {
    type: 'sync-expired',
    groupId,
    generationId,
  });
}

/** What a member learns of the current generation; the leader gets everybody's subscriptions. */
export function joinedReply(group: ClassicGroup, memberId: string): JoinReply {
  return {
    errorCode: ErrorCodes.NONE,
    generationId: group.generationId,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    leader: group.leaderId ?? '',
    skipAssignment: false,
    memberId,
    members: isLeader(group, memberId) ? subscriptions(group) : [],
  };
}

/** All members with their subscriptions for the chosen protocol. */
export function subscriptions(group: ClassicGroup): JoinReplyMember[] {
  const protocolName = group.protocolName ?? '';
  return Array.from(group.members.values(), (member) => ({
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    metadata: metadataFor(member, protocolName) ?? NO_ASSIGNMENT,
  }));
}

/** Takes every assignment back and answers those who wait for one with an error. */
export function refuseAwaitingSyncs(step: GroupTransition, errorCode: number): void {
  for (const { memberId } of step.group.members.values()) {
    const member = step.member(memberId);
    if (member === undefined) continue;
    if (member.assignment.length > 0) step.setMember({ ...member, assignment: NO_ASSIGNMENT });
    // A session that ended while the member waited was let pass; from here on it counts again.
    if (step.completeSync(memberId, { errorCode })) rescheduleMember(step, member);
  }
}

/** Nobody is waited for to sync any more. */
function clearPendingSyncs(step: GroupTransition): void {
  if (step.group.pendingSyncMembers.size > 0) step.group.pendingSyncMembers = new Set();
  step.cancel(syncTimer(step.group.groupId));
}
