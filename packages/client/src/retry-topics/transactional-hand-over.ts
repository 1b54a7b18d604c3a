import type { Clock, TimerHandle } from '@ottla/platform';
import type { TopicPartition } from '../admin/admin-requests.ts';
import { sleep } from '../cluster/wait.ts';
import type { RebalanceListener } from '../consumer/consumer-options.ts';
import type { Consumer } from '../consumer/consumer.ts';
import type { Message } from '../consumer/delivery/message.ts';
import type { CommitOffset } from '../admin/commit-offset.ts';
import { isKafkaError } from '../errors/kafka-error.ts';
import type { Producer } from '../producer/producer.ts';
import type { HandOver, OutgoingRecord } from './hand-over.ts';

export interface TransactionalParts {
  readonly producer: Producer;
  /** One thing after the other, of all stages. */
  readonly queue: SerialQueue;
  readonly listener: RebalanceListener;
  readonly clock: Clock;
  readonly commitIntervalMs: number;
  readonly retryBackoffMs: number;
}

/** A producer has one transaction at a time. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(task: () => Promise<T>): Promise<T> {
    const run = this.#last.then(task, task);
    this.#last = run.catch(() => {});
    return run;
  }
}

/** Refusals of the offsets by a group that is in the middle of a rebalance, or has just had one. */
const MEMBERSHIP_MOVES = [
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'REBALANCE_IN_PROGRESS',
  'FENCED_MEMBER_EPOCH',
  'STALE_MEMBER_EPOCH',
] as const;
const MAX_ATTEMPTS = 20;

/**
 * Exactly once: the next record and the offset of the failed one are one transaction. Offsets of what was handled well are committed
 * outside of transactions, but in the same order of events: an offset that is on its way must not undo one that a transaction brought.
 */
export class TransactionalHandOver implements HandOver {
  readonly commit = 'manual';
  readonly listener: RebalanceListener;
  readonly #parts: TransactionalParts;
  /** Records that handlers have, of partitions that were ours all the time. */
  readonly #inHand = new Set<Message>();
  /** What may be committed and is not, by partition. */
  readonly #done = new Map<string, CommitOffset>();
  #consumer: Consumer | null = null;
  #timer: TimerHandle | null = null;
  #isStopped = false;

  constructor(parts: TransactionalParts) {
    this.#parts = parts;
    const { listener } = parts;
    this.listener = {
      onAssigned: (partitions) => listener.onAssigned?.(partitions),
      onRevoked: async (partitions) => {
        await this.#commit(partitions).catch(() => {});
        // What could not be committed comes again to who has them now; an older offset of ours must not undo theirs.
        for (const place of partitions) this.#done.delete(idOf(place));
        await listener.onRevoked?.(partitions);
      },
      onLost: async (partitions) => {
        const lost = new Set(partitions.map(idOf));
        for (const id of lost) this.#done.delete(id);
        for (const message of this.#inHand) if (lost.has(idOf(message))) this.#inHand.delete(message);
        await (listener.onLost ?? listener.onRevoked)?.call(listener, partitions);
      },
    };
  }

  start(consumer: Consumer): void {
    this.#consumer = consumer;
    this.#arm();
  }

  begin(message: Message): void {
    this.#inHand.add(message);
  }

  done(message: Message): void {
    // Whoever has the partition now says how far it is.
    if (!this.#inHand.delete(message)) return;
    const { topic, partition, offset, leaderEpoch } = message;
    const next = { topic, partition, offset: offset + 1, leaderEpoch };
    this.#done.set(idOf(next), next);
  }

  give(message: Message, next: OutgoingRecord): Promise<void> {
    return this.#parts.queue.run(async () => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          // Whoever has the partition now gets the record too.
          if (!this.#inHand.has(message)) return;
          await this.#transact(message, next);
          this.#inHand.delete(message);
          return;
        } catch (error) {
          if (!this.#inHand.has(message)) return;
          if (attempt === MAX_ATTEMPTS || !isKafkaError(error, ...MEMBERSHIP_MOVES)) throw error;
          await sleep(this.#parts.clock, this.#parts.retryBackoffMs, []);
        }
      }
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  async #transact(message: Message, { topic, record }: OutgoingRecord): Promise<void> {
    const { partition, offset } = message;
    await this.#parts.producer.transaction(async (transaction) => {
      // The commit waits for it, and fails when it failed.
      transaction.send(topic, record).catch(() => {});
      const offsets = [{ topic: message.topic, partition, offset: offset + 1 }];
      await transaction.sendOffsets(offsets, this.#consumer!.groupMetadata);
    });
    // The transaction's offset is not to be committed again, and nothing older may be.
    this.#done.delete(idOf(message));
  }

  /** Commits what is done in these partitions, or in all. */
  #commit(partitions?: readonly TopicPartition[]): Promise<void> {
    return this.#parts.queue.run(async () => {
      const wanted = partitions?.map(idOf) ?? [...this.#done.keys()];
      const offsets = wanted.flatMap((id) => this.#done.get(id) ?? []);
      if (offsets.length === 0) return;
      await this.#consumer!.commit(offsets);
      for (const each of offsets) if (this.#done.get(idOf(each)) === each) this.#done.delete(idOf(each));
    });
  }

  #arm(): void {
    if (this.#isStopped) return;
    const { clock, commitIntervalMs } = this.#parts;
    this.#timer = clock.setTimer(commitIntervalMs, () => {
      // It has been logged, and the next one says more.
      void this.#commit()
        .catch(() => {})
        .then(() => this.#arm());
    });
  }
}

function idOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`;
}
