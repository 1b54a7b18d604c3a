import type { MetadataImage } from '../../metadata/image.ts';
import { NO_TICKET, outcome, type Ticket } from '../runtime/state-machine.ts';
import type { ConsumerGroupTimings } from './consumer/consumer-group-config.ts';
import type { GroupCoordinatorConfig } from './group-coordinator-config.ts';
import type { GroupState } from './group-state.ts';
import type { GroupOutcome } from './group-types.ts';

/** What a machine may look at beside its own state: it changes without the machine, but not while a command is handled. */
export interface GroupSurroundings {
  readonly config: GroupCoordinatorConfig;
  /** The cluster's metadata now. */
  readonly image: () => MetadataImage;
  /** Offset of the last metadata image in which topics were created: regular expressions resolved before it are stale. */
  readonly newTopicsVersion: () => number;
  /** What is configured for a group, or by default. */
  readonly consumerTimings: (groupId: string) => ConsumerGroupTimings;
}

/** What the rules get beside a command. They read the state and change nothing in it. */
export interface CommandContext extends GroupSurroundings {
  readonly state: GroupState;
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
