import { ErrorCodes } from '@ottla/protocol';
import type { Ticket } from '../../runtime/state-machine.ts';
import { rescheduleMember } from './group-timers.ts';
import type { GroupTransition } from './group-transition.ts';
import type { HeartbeatCommand } from './classic-types.ts';
import { memberError } from './membership.ts';

/** Heartbeat of an existing group: keeps the session alive and tells of a rebalance. */
export function heartbeat(step: GroupTransition, command: HeartbeatCommand, ticket: Ticket): void {
  const { group } = step;
  const errorCode = memberError(group, command.memberId, command.groupInstanceId);
  const member = step.member(command.memberId);
  if (errorCode !== ErrorCodes.NONE || member === undefined) {
    step.reply(ticket, errorCode);
  } else if (command.generationId !== group.generationId) {
    step.reply(ticket, ErrorCodes.ILLEGAL_GENERATION);
  } else {
    rescheduleMember(step, member);
    step.reply(
      ticket,
      group.state === 'PreparingRebalance' ? ErrorCodes.REBALANCE_IN_PROGRESS : ErrorCodes.NONE,
    );
  }
}
