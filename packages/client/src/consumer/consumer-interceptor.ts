import type { Logger } from '@ottla/platform';
import type { Message } from './delivery/message.ts';
import type { CommitOffset } from '../admin/commit-offset.ts';

/** Sees every record of a consumer and every commit (KIP-42). What it throws is logged and ignored. Keep both quick. */
export interface ConsumerInterceptor {
  /**
   * Called before a record is handed out. What it returns is handed out instead (see `message.with`); null leaves the record out, which
   * then counts as handled.
   */
  onConsume?(message: Message): Message | null | void;
  /** Called when the group has the offsets, whether they were committed by the application or by themselves. */
  onCommit?(offsets: readonly CommitOffset[]): void;
}

/** The interceptors of a consumer, one after the other. */
export class ConsumerInterceptors {
  readonly #interceptors: readonly ConsumerInterceptor[];
  readonly #logger: Logger;

  private constructor(interceptors: readonly ConsumerInterceptor[], logger: Logger) {
    this.#interceptors = interceptors;
    this.#logger = logger;
  }

  /** Null when there are none. */
  static of(interceptors: readonly ConsumerInterceptor[], logger: Logger): ConsumerInterceptors | null {
    return interceptors.length === 0 ? null : new ConsumerInterceptors(interceptors, logger);
  }

  /** The record as the application gets it; null when it does not. */
  consume(message: Message): Message | null {
    let current = message;
    for (const interceptor of this.#interceptors) {
      try {
        const changed = interceptor.onConsume?.(current);
        if (changed === null) return null;
        current = changed ?? current;
      } catch (error) {
        const { topic, partition, offset } = message;
        this.#logger.warn({ err: error, topic, partition, offset }, 'An interceptor failed in onConsume');
      }
    }
    return current;
  }

  committed(offsets: readonly CommitOffset[]): void {
    for (const interceptor of this.#interceptors) {
      try {
        interceptor.onCommit?.(offsets);
      } catch (error) {
        this.#logger.warn({ err: error }, 'An interceptor failed in onCommit');
      }
    }
  }
}
