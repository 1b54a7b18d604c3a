import type { TopicPartition } from '../admin/admin-requests.ts';

/** What to commit for a partition. */
export interface CommitOffset extends TopicPartition {
  /** The next record to read. */
  readonly offset: number;
  readonly leaderEpoch?: number;
  readonly metadata?: string;
}
