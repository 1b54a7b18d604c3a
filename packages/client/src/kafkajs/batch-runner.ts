import type { TopicPartition } from '../admin/admin-requests.ts';
import type { Consumer as ClientConsumer } from '../consumer/consumer.ts';
import type { Message } from '../consumer/delivery/message.ts';
import type { ConsumerRunConfig, EachBatchPayload, Offsets } from './consumer-types.ts';
import { kafkaBatch } from './messages.ts';

/** What a run with `eachBatch` needs of its consumer. */
export interface BatchRunnerDeps {
  readonly consumer: ClientConsumer;
  readonly config: ConsumerRunConfig & { readonly eachBatch: (payload: EachBatchPayload) => Promise<void> };
  readonly isRunning: () => boolean;
  readonly nowMs: () => number;
  /** Pauses a partition; what it returns resumes it. */
  readonly pause: (place: TopicPartition) => () => void;
  readonly onBatch: (payload: EachBatchPayload, durationMs: number) => void;
  readonly onCommit: (offsets: Offsets) => void;
}

const MAX_RECORDS = 10_000;

/**
 * Hands batches to a kafkajs `eachBatch`, those of different partitions at the same time when the program asks for it, and keeps
 * kafkajs's promise: what was resolved is committed, what was not comes again.
 */
export class BatchRunner {
  readonly #deps: BatchRunnerDeps;
  /** Resolved and not committed: the next offset by partition. */
  readonly #resolved = new Map<string, TopicPartition & { offset: number }>();
  readonly #running = new Map<string, Promise<void>>();
  #resolvedCount = 0;
  #lastCommitMs: number;
  #failure: { readonly error: unknown } | null = null;

  constructor(deps: BatchRunnerDeps) {
    this.#deps = deps;
    this.#lastCommitMs = deps.nowMs();
  }

  /** Runs until the consumer is closed; rejects with the first error of a handler. */
  async run(): Promise<void> {
    const concurrency = Math.max(1, this.#deps.config.partitionsConsumedConcurrently ?? 1);
    for await (const messages of this.#deps.consumer.batches({ maxRecords: MAX_RECORDS })) {
      const { topic, partition } = messages[0]!;
      const id = `${topic}-${partition}`;
      await this.#running.get(id);
      while (this.#running.size >= concurrency) await Promise.race(this.#running.values());
      if (this.#failure !== null) break;
      const work = this.#handle(messages).finally(() => this.#running.delete(id));
      this.#running.set(id, work);
      if (concurrency === 1) await work;
      if (this.#failure !== null) break;
    }
    await Promise.all(this.#running.values());
    if (this.#failure !== null) throw this.#failure.error;
  }

  /** Never rejects: the loop looks at `#failure`. */
  async #handle(messages: readonly Message[]): Promise<void> {
    const { config, nowMs } = this.#deps;
    // The next offset that is not resolved.
    let handledUpTo = messages[0]!.offset;
    const payload = this.#payload(messages, (next) => (handledUpTo = next));
    const begunMs = nowMs();
    try {
      await config.eachBatch(payload);
      if (config.eachBatchAutoResolve !== false) payload.resolveOffset(payload.batch.lastOffset());
      this.#deps.onBatch(payload, nowMs() - begunMs);
      if (config.autoCommit !== false) await this.#commit(this.#uncommitted());
      this.#rewind(messages, handledUpTo);
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  #payload(messages: readonly Message[], onResolved: (next: number) => void): EachBatchPayload {
    const { consumer, isRunning } = this.#deps;
    const { topic, partition } = messages[0]!;
    const lag = consumer.lag().find((each) => each.topic === topic && each.partition === partition);
    const batch = kafkaBatch(messages, lag?.endOffset ?? messages.at(-1)!.offset + 1);
    return {
      batch,
      resolveOffset: (offset) => {
        this.#resolvedCount += 1;
        const next = Number(offset) + 1;
        this.#resolved.set(`${topic}-${partition}`, { topic, partition, offset: next });
        onResolved(next);
      },
      heartbeat: () => Promise.resolve(),
      pause: () => this.#deps.pause({ topic, partition }),
      commitOffsetsIfNecessary: (offsets) =>
        offsets === undefined ? this.#commitIfDue() : this.#commit(offsets),
      uncommittedOffsets: () => this.#uncommitted(),
      isRunning,
      isStale: () =>
        !consumer.assignment.some((place) => place.topic === topic && place.partition === partition),
    };
  }

  /** Records after the last resolved one come again. */
  #rewind(messages: readonly Message[], next: number): void {
    const { topic, partition, offset: first } = messages[0]!;
    const end = messages.at(-1)!.offset + 1;
    if (next >= end || !this.#owns({ topic, partition })) return;
    this.#deps.consumer.seek({ topic, partition }, Math.max(next, first));
  }

  #owns(place: TopicPartition): boolean {
    return this.#deps.consumer.assignment.some(
      ({ topic, partition }) => topic === place.topic && partition === place.partition,
    );
  }

  #uncommitted(): Offsets {
    const topics = new Map<string, { partition: number; offset: string }[]>();
    for (const [id, { topic, partition, offset }] of this.#resolved) {
      // Who has the partition now says how far it is: an older offset of ours must not undo theirs.
      if (!this.#owns({ topic, partition })) {
        this.#resolved.delete(id);
        continue;
      }
      topics.set(topic, [...(topics.get(topic) ?? []), { partition, offset: String(offset) }]);
    }
    return { topics: [...topics].map(([topic, partitions]) => ({ topic, partitions })) };
  }

  async #commitIfDue(): Promise<void> {
    const { autoCommitInterval = null, autoCommitThreshold = null } = this.#deps.config;
    const isDue =
      (autoCommitInterval !== null && this.#deps.nowMs() - this.#lastCommitMs >= autoCommitInterval) ||
      (autoCommitThreshold !== null && this.#resolvedCount >= autoCommitThreshold);
    if (isDue) await this.#commit(this.#uncommitted());
  }

  async #commit(offsets: Offsets): Promise<void> {
    const places = offsets.topics.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => ({ topic, partition, offset: Number(offset) })),
    );
    if (places.length === 0) return;
    await this.#deps.consumer.commit(places);
    this.#lastCommitMs = this.#deps.nowMs();
    this.#resolvedCount = 0;
    for (const { topic, partition, offset } of places) {
      const id = `${topic}-${partition}`;
      if ((this.#resolved.get(id)?.offset ?? -1) <= offset) this.#resolved.delete(id);
    }
    this.#deps.onCommit(offsets);
  }
}
