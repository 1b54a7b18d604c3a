import { ErrorCodes } from '@ottla/protocol';
import type { Ticket } from '../../runtime/state-machine.ts';
import { isLeader, type ClassicGroup } from './classic-group.ts';
import { groupMetadataRecord } from './group-metadata.ts';
import { syncTimer } from './group-timers.ts';
import type { GroupTransition } from './group-transition.ts';
import type { SyncCommand } from './classic-types.ts';
import { memberError } from './membership.ts';

/**
 * SyncGroup of an existing group. While the group waits for its leader everybody waits; what the leader sends is written
 * to the log first and handed out when it is there (see `assignmentStored`).
 */
export function syncGroup(step: GroupTransition, command: SyncCommand, ticket: Ticket): void {
  const { group } = step;
  const errorCode = syncError(group, command);
  const member = step.member(command.memberId);
  if (errorCode !== ErrorCodes.NONE || member === undefined) {
    step.replySync(ticket, { errorCode });
    return;
  }
  if (group.state === 'Stable') {
    removePendingSync(step, member.memberId);
    const { protocolName, protocolType } = group;
    step.replySync(ticket, { protocolName, protocolType, assignment: member.assignment });
    return;
  }
  if (member.awaitingSync !== null) {
    // It asks anew, so nobody listens to its old request any more.
    step.replySync(member.awaitingSync, { errorCode: ErrorCodes.REBALANCE_IN_PROGRESS });
  }
  step.setMember({ ...member, awaitingSync: ticket });
  removePendingSync(step, member.memberId);
  if (!isLeader(group, member.memberId)) return;
  const assignments = new Map(command.assignments.map((entry) => [entry.memberId, entry.assignment]));
  step.append(groupMetadataRecord(group, assignments));
  step.whenWritten({ type: 'assignment-stored', groupId: group.groupId, generationId: group.generationId });
}

function syncError(group: ClassicGroup, command: SyncCommand): number {
  if (group.state === 'Empty') return ErrorCodes.UNKNOWN_MEMBER_ID;
  const errorCode = memberError(group, command.memberId, command.groupInstanceId);
  if (errorCode !== ErrorCodes.NONE) return errorCode;
  if (command.generationId !== group.generationId) return ErrorCodes.ILLEGAL_GENERATION;
  if (differ(command.protocolType, group.protocolType) || differ(command.protocolName, group.protocolName)) {
    return ErrorCodes.INCONSISTENT_GROUP_PROTOCOL;
  }
  return group.state === 'PreparingRebalance' ? ErrorCodes.REBALANCE_IN_PROGRESS : ErrorCodes.NONE;
}

/** Older versions do not say which protocol they mean (KIP-559); then nothing is inconsistent. */
function differ(asked: string | null, own: string | null): boolean {
  return asked !== null && own !== null && asked !== own;
}

function removePendingSync(step: GroupTransition, memberId: string): void {
  step.removePendingSync(memberId);
  if (step.group.pendingSyncMembers.size === 0) step.cancel(syncTimer(step.group.groupId));
}
