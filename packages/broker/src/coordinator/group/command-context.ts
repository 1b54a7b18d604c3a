import { NO_TICKET, outcome, type Ticket } from '../runtime/state-machine.ts';
import type { GroupCoordinatorConfig } from './group-coordinator-config.ts';
import type { GroupState } from './group-state.ts';
import type { GroupOutcome } from './group-types.ts';

/** What the rules get beside a command. They read the state and change nothing in it. */
export interface CommandContext {
  readonly state: GroupState;
  readonly config: GroupCoordinatorConfig;
  /** Who waits for the reply. */
  readonly ticket: Ticket;
  /** Wall-clock time. */
  readonly nowMs: number;
}

/** The outcome of a command that leads to nothing but its reply. */
export function answer(ticket: Ticket, value: unknown): GroupOutcome {
  return outcome({ replies: ticket === NO_TICKET ? [] : [{ ticket, value }] });
}

/** The outcome of a command that is refused. */
export function refuse(ticket: Ticket, errorCode: number, errorMessage: string | null = null): GroupOutcome {
  return outcome({ replies: ticket === NO_TICKET ? [] : [{ ticket, errorCode, errorMessage }] });
}
