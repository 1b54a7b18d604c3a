import type { TopicPartition } from '../../admin/admin-requests.ts';

/** What the machines of both group protocols ask of the world. The numbers `round` come back with the answer: older ones are ignored. */
export type MemberEffect =
  /** Gives partitions up and answers `revoked`; when they are lost, others may have them already. */
  | {
      readonly do: 'revoke';
      readonly round: number;
      readonly partitions: readonly TopicPartition[];
      readonly isLost: boolean;
    }
  /** Takes partitions over and answers `assigned`. */
  | { readonly do: 'assign'; readonly round: number; readonly added: readonly TopicPartition[] }
  /** Answers `timer` after the time; replaces the timer of the same name. */
  | { readonly do: 'set-timer'; readonly name: TimerName; readonly delayMs: number }
  | { readonly do: 'cancel-timer'; readonly name: TimerName }
  /** The coordinator has to be found anew. */
  | { readonly do: 'rediscover' }
  /** The member cannot go on. */
  | { readonly do: 'fail'; readonly errorCode: number; readonly detail: string | null };

export type TimerName = 'heartbeat' | 'backoff';

/** What both machines are told. */
export type MemberEvent =
  | { readonly type: 'start' }
  /** What the member wants has changed. */
  | { readonly type: 'rejoin'; readonly reason: string }
  | { readonly type: 'revoked'; readonly round: number }
  | { readonly type: 'assigned'; readonly round: number }
  | { readonly type: 'timer'; readonly name: TimerName }
  /** The application has not asked for records within `max.poll.interval.ms`. */
  | { readonly type: 'poll-expired' }
  /** It asks again. */
  | { readonly type: 'polled' }
  /** Partitions have been given up already; nothing more happens after it. */
  | { readonly type: 'leave'; readonly leavesGroup: boolean };

/** Errors that another coordinator, or the same one a moment later, cures. */
export interface MachineOptions {
  readonly groupInstanceId: string | null;
  readonly retryBackoffMs: number;
}
