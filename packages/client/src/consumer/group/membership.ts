import type { TopicPartition } from '../../admin/admin-requests.ts';

/** Who the membership works for. */
export interface MembershipHost {
  /** Gives partitions up; resolves when the application has let go of them. Never rejects. */
  revoke(partitions: readonly TopicPartition[], isLost: boolean): Promise<void>;
  /** Takes partitions over. Never rejects. */
  assign(added: readonly TopicPartition[]): Promise<void>;
  /** The membership has ended. */
  fail(error: Error): void;
}

/** Membership in a group, whatever its protocol. */
export interface Membership {
  /** The generation or member epoch; -1 or 0 while there is none. */
  readonly generationId: number;
  readonly memberId: string;
  start(): void;
  /** The topics or the pattern that the consumer wants. */
  subscribe(wants: { readonly topics: readonly string[]; readonly regex: string | null }): void;
  /** Asks for a rebalance. */
  rejoin(reason: string): void;
  /** The application asks for records. */
  polled(): void;
  /** It has not done so for too long. */
  pollExpired(): void;
  /** Says goodbye, if `leavesGroup`; static members may stay. Never rejects. */
  leave(options: { readonly leavesGroup: boolean; readonly timeoutMs: number }): Promise<void>;
}
