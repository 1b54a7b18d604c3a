import type { TopicPartition } from './admin-requests.ts';

/** What to commit for a partition. */
export interface CommitOffset extends TopicPartition {
  /** The next record to read. */
  readonly offset: number;
  /** Of the record before it, so that a truncated log is noticed (KIP-320). */
  readonly leaderEpoch?: number;
  /** Text of the committer's own. */
  readonly metadata?: string;
}
