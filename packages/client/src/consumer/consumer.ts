import type { TopicPartition } from '../admin/admin-requests.ts';
import type { OffsetSpec } from '../admin/offsets-admin.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { CallLimits } from '../cluster/limits.ts';
import { OptionError } from '../errors/client-errors.ts';
import { KafkaError } from '../errors/kafka-error.ts';
import { ConsumerCore, type CloseOptions } from './consumer-core.ts';
import { resolveConsumerOptions, type ConsumerOptions } from './consumer-options.ts';
import type { SendDeadLetter } from './delivery/dead-letter.ts';
import { resolveEachOptions, type EachOptions } from './delivery/each-options.ts';
import { EachRunner, type Handler } from './delivery/each-runner.ts';
import type { Message } from './delivery/message.ts';
import { BatchLoop, RecordLoop } from './delivery/record-loops.ts';
import { endOffsetOf, type ConsumerMetrics } from './consumer-metrics.ts';
import type { CommitOffset } from '../admin/commit-offset.ts';
import type { GroupMetadata } from './offset-committer.ts';
import type { PartitionState } from './partition-state.ts';
import { Subscription, type ConsumerSource } from './subscription.ts';

/** Where to go on: an offset, an end of the log, or the first record at or after a time. */
export type SeekTarget = number | 'beginning' | 'end' | Date | { readonly timestampMs: number };

/** How far the consumer is behind in a partition. */
export interface PartitionLag extends TopicPartition {
  /** The next record that the application gets. */
  readonly position: number;
  /** One after the last record that may be read. */
  readonly endOffset: number;
  readonly lag: number;
}

/** How `batches` cuts what was fetched. */
export interface BatchesOptions {
  /** Default: 500, as `max.poll.records`. */
  readonly maxRecords?: number;
}

/**
 * Reads topics, alone or as a member of a group. It connects, joins and fetches in the background from the first loop on.
 *
 * ```ts
 * for await (const m of consumer) await charge(m.key, m.value.total);
 * ```
 *
 * With `commit: 'auto'` a record is committed once the loop has asked for the next one or has ended by itself; `break`, `return` and
 * `throw` leave the record they happened in uncommitted. Commits go out every `autoCommitIntervalMs`, before partitions move, and at
 * the end. One loop at a time.
 */
export class Consumer<M extends Message = Message> implements AsyncIterable<M>, AsyncDisposable {
  readonly #core: ConsumerCore;
  readonly #sendDeadLetter: SendDeadLetter | undefined;
  readonly #onClosed: () => void;
  #loop: string | null = null;
  #each: Promise<void> | null = null;
  #closing: Promise<void> | null = null;

  /** Use `ottla.consumer()`. @throws OptionError for an option that is not valid */
  constructor(
    cluster: Cluster,
    setup: {
      readonly source: ConsumerSource;
      readonly options: ConsumerOptions;
      readonly sendDeadLetter?: SendDeadLetter;
    },
    onClosed: () => void = () => {},
  ) {
    this.#core = new ConsumerCore(
      cluster,
      resolveConsumerOptions(setup.options),
      new Subscription(setup.source),
    );
    this.#sendDeadLetter = setup.sendDeadLetter;
    this.#onClosed = onClosed;
  }

  /** Record by record. A partition that cannot be read on makes the loop throw a PartitionError; `seek` gets past it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<M> {
    this.#begin('a loop over records');
    return new RecordLoop<M>(this.#core, () => this.#end());
  }

  /** Several records of one partition at a time; the whole batch is committed when the loop asks for the next one. */
  batches(options: BatchesOptions = {}): AsyncIterableIterator<readonly M[]> {
    const { maxRecords = 500 } = options;
    if (!Number.isInteger(maxRecords) || maxRecords < 1)
      throw new OptionError(`maxRecords "${String(maxRecords)}" is not an integer of at least 1`);
    this.#begin('a loop over batches');
    return new BatchLoop<M>(this.#core, () => this.#end(), maxRecords);
  }

  /**
   * Calls the handler for every record, `concurrency` at once, in order by key or partition. Only what lies before the first unfinished
   * record is committed. Resolves when the consumer is closed or its signal aborts, after the handlers that run have ended; rejects
   * with the first error that `onError` did not take. @throws OptionError for an option that is not valid
   */
  async each(handler: Handler<M>, options: EachOptions = {}): Promise<void> {
    const runner = new EachRunner<M>(this.#core, handler, {
      ...resolveEachOptions(options, this.#core.options),
      sendDeadLetter: this.#sendDeadLetter,
    });
    this.#begin('each');
    this.#each = runner.run();
    try {
      await this.#each;
    } finally {
      this.#each = null;
      this.#end();
    }
  }

  /** What is assigned to this consumer now. */
  get assignment(): TopicPartition[] {
    return this.#states().map(placeOf);
  }

  /** Who this consumer is to its group; for a producer's transaction. */
  get groupMetadata(): GroupMetadata {
    return this.#core.groupMetadata;
  }

  /** Bytes of answers in memory that have not been handed out. */
  get bufferedBytes(): number {
    return this.#core.bufferedBytes;
  }

  /** Joins the group and begins to fetch without a loop; the first loop does it too. */
  start(): void {
    this.#core.start();
  }

  /** Goes on from somewhere else in an assigned partition. Takes effect with the next record that the loop gets. */
  seek({ topic, partition }: TopicPartition, target: SeekTarget): void {
    const state = this.#state({ topic, partition });
    if (typeof target === 'number') {
      if (!Number.isInteger(target) || target < 0)
        throw new OptionError(`Offset "${target}" to seek to is not an integer of at least 0`);
      state.moveTo(target);
    } else if (target === 'beginning') state.resetPosition('earliest');
    else if (target === 'end') state.resetPosition('latest');
    else state.resetPosition({ timestampMs: target instanceof Date ? target.getTime() : target.timestampMs });
    this.#core.changed(state);
  }

  /** Stops reading partitions, by default all that are assigned; membership goes on. What is buffered stays. */
  pause(partitions: readonly TopicPartition[] = this.assignment): void {
    for (const place of partitions) this.#state(place).isPaused = true;
  }

  /** Reads on. */
  resume(partitions: readonly TopicPartition[] = this.assignment): void {
    for (const place of partitions) {
      const state = this.#state(place);
      state.isPaused = false;
      this.#core.changed(state);
    }
  }

  /** Partitions that are paused. */
  get paused(): TopicPartition[] {
    return this.#states()
      .filter(({ isPaused }) => isPaused)
      .map(placeOf);
  }

  /** The next record that the loop gets; null while that is being looked up. */
  position(place: TopicPartition): number | null {
    const { position, phase } = this.#state(place);
    return position < 0 || phase === 'looking-up' ? null : position;
  }

  /** What the group has committed, for assigned partitions or those given; null for none. */
  async committed(
    partitions: readonly TopicPartition[] = this.assignment,
    limits: CallLimits = {},
  ): Promise<(TopicPartition & { readonly offset: number | null })[]> {
    const group = this.#group('committed');
    const found = await this.#core.groupOffsets.list(group, { partitions, ...limits });
    return partitions.map(({ topic, partition }) => {
      const own = found.find((each) => each.topic === topic && each.partition === partition);
      if (own !== undefined && own.error !== null) throw own.error;
      return { topic, partition, offset: own === undefined || own.offset < 0 ? null : own.offset };
    });
  }

  /** How far it is behind, as of the last fetch; partitions that were not fetched yet are left out. */
  lag(): PartitionLag[] {
    const { isReadCommitted } = this.#core.options;
    return this.#states()
      .filter(({ position, highWatermark }) => position >= 0 && highWatermark >= 0)
      .map((state) => {
        const endOffset = endOffsetOf(state, isReadCommitted);
        const { position } = state;
        return { ...placeOf(state), position, endOffset, lag: Math.max(0, endOffset - position) };
      });
  }

  /** What the consumer has done so far: counts and times, by the names of Kafka's metrics in camelCase. Cheap; call it as often as you like. */
  metrics(): ConsumerMetrics {
    return this.#core.metrics();
  }

  /** Looks up offsets in partitions, by default those assigned: an end, or the first record at or after a time (-1 when there is none). */
  async offsets(
    spec: OffsetSpec,
    partitions: readonly TopicPartition[] = this.assignment,
    limits: CallLimits = {},
  ): Promise<(TopicPartition & { readonly offset: number })[]> {
    const isolationLevel = this.#core.options.isReadCommitted ? 'read_committed' : 'read_uncommitted';
    const places = partitions.map(({ topic, partition }) => ({ topic, partition, spec }));
    const found = await this.#core.offsets.listPartitions(places, { isolationLevel, ...limits });
    return found.map((each) => {
      if (each.error !== null) throw each.error;
      const { topic, partition, offset } = each;
      return { topic, partition, offset };
    });
  }

  /**
   * Commits, whatever `commit` says: without arguments everything up to and including what the loop holds (with `each`: what is
   * finished), or a message, or offsets, which name the next record to read. Await it to know that it is stored; an earlier commit
   * never overtakes a later one.
   */
  commit(what?: M | readonly CommitOffset[], limits: CallLimits = {}): Promise<void> {
    this.#group('commit');
    return this.#core.committer.commit(this.#offsetsToCommit(what), limits);
  }

  /** Asks the group for a rebalance. */
  enforceRebalance(reason = 'the application asked for it'): void {
    this.#core.rejoin(reason);
  }

  /**
   * Lets `each` finish what runs, commits what is done (with `commit: 'auto'`), leaves the group and ends the loops. Always ends within
   * `timeoutMs`; called from inside a handler of `each` it waits that long. Idempotent.
   */
  close(options: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(options: CloseOptions): Promise<void> {
    try {
      await this.#core.close(options, this.#each);
    } finally {
      this.#onClosed();
    }
  }

  #begin(what: string): void {
    if (this.#loop !== null)
      throw new OptionError(
        `${this.#loop} is running on this consumer; end it first, or make another consumer`,
      );
    this.#core.start();
    this.#loop = what;
  }

  #end(): void {
    this.#loop = null;
  }

  #states(): PartitionState[] {
    return [...this.#core.states.values()];
  }

  #state({ topic, partition }: TopicPartition): PartitionState {
    const state = this.#core.stateOf(topic, partition);
    if (state !== undefined) return state;
    throw new KafkaError(
      'UNKNOWN_TOPIC_OR_PARTITION',
      `Partition ${topic}-${partition} is not assigned to this consumer just now; see consumer.assignment`,
      { retriable: false },
    );
  }

  #group(what: string): string {
    const { group } = this.#core.options;
    if (group === null) throw new OptionError(`${what} needs a group; set group when the consumer is made`);
    return group;
  }

  #offsetsToCommit(what: M | readonly CommitOffset[] | undefined): readonly CommitOffset[] {
    if (what === undefined)
      return this.#states()
        .filter(({ position }) => position >= 0)
        .map((state) => {
          const offset = state.tracker === null ? state.position : state.doneOffset;
          return { ...placeOf(state), offset };
        });
    if (Array.isArray(what)) return what as readonly CommitOffset[];
    const { topic, partition, offset, leaderEpoch } = what as M;
    return [{ topic, partition, offset: offset + 1, leaderEpoch }];
  }
}

function placeOf({ topic, partition }: PartitionState): TopicPartition {
  return { topic, partition };
}
