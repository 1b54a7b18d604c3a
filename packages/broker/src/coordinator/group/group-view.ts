import type { GroupRecord } from './group-records.ts';
import type { GroupTimer } from './group-types.ts';
import type { CommitCommand, FetchOffsetsQuery } from './offsets/offset-types.ts';
import type { CommittedOffset } from './offsets/offset-store.ts';

/** The kinds of groups, by the names that ListGroups uses. A group id belongs to one kind at a time. */
export type GroupKind = 'classic' | 'consumer' | 'share' | 'streams';

/**
 * A group as the APIs see it that concern every kind: listing, deleting, offsets and their expiry. Each kind implements it
 * once, in its folder; `GroupState.view` finds the one for a group id.
 */
export interface GroupView {
  readonly groupId: string;
  readonly kind: GroupKind;
  readonly protocolType: string;
  /** Kafka's name of the state: `Empty`, `Stable`, ... */
  readonly stateName: string;
  readonly isEmpty: boolean;
  /** Whether it ends by itself once it is empty and its offsets are too old. */
  readonly shouldExpire: boolean;
  /** Why a commit is refused, or NONE. */
  commitError(command: CommitCommand): number;
  /** Timers that a commit sets back. */
  timersAfterCommit(command: CommitCommand): readonly GroupTimer[];
  /** Why OffsetFetch is refused, or NONE. */
  fetchError(query: FetchOffsetsQuery): number;
  /** Why OffsetDelete is refused as a whole, or NONE. */
  offsetDeletionError(): number;
  /** Whether offsets of a topic are in use, so that they are neither deleted nor expire. */
  isSubscribedToTopic(topic: string): boolean;
  /** From when an offset ages, in wall-clock milliseconds; null when none of the group's offsets do. */
  offsetsAgeSince(): ((offset: CommittedOffset) => number) | null;
  /** Why DeleteGroups is refused, or NONE. */
  deletionError(): number;
  /** The records that delete the group itself; its offsets are not among them. */
  tombstones(): readonly GroupRecord[];
}
