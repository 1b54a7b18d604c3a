import type { Outcome } from '../runtime/state-machine.ts';
import type { ShareStateRecord } from './share-state-records.ts';
import type { ShareStateCommand, ShareStateReplies } from './share-state-types.ts';

/** The type bundle of the share coordinator: all its state is durable, nothing waits for a write but replies. */
export interface ShareStateTypes {
  readonly command: ShareStateCommand;
  readonly replies: ShareStateReplies;
  readonly followUp: never;
  readonly record: ShareStateRecord;
  readonly change: never;
}

export type ShareStateOutcome = Outcome<ShareStateTypes>;
