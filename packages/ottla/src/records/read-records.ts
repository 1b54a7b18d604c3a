import type { Consumer, ConsumerOptions, Message, TopicPartition } from '@ottla/client';
import { NodeClock, type TimerHandle } from '@ottla/platform';
import type { ReadPlan } from './read-plan.ts';
import type { ClusterAccess } from '../cluster/run-on-cluster.ts';

/** How often it is looked whether the end was passed without a record. */
const END_CHECK_MS = 50;

/** Records of topics, in the order in which they come. */
export type RecordSource = AsyncGenerator<Message>;

interface PlannedReads {
  readonly plan: readonly ReadPlan[];
  readonly options: ConsumerOptions;
  /** Records at or after this time end their partition; null for no such limit. */
  readonly untilMs: number | null;
  readonly signal: AbortSignal;
}

/** Reads the partitions of a plan, each up to its end. */
export async function* readPlan({ ottla }: ClusterAccess, reads: PlannedReads): RecordSource {
  const open = new EndWatch(reads.plan);
  if (open.isDone) return;
  const { serde } = await import('@ottla/client');
  const partitions = reads.plan.filter(({ offset, end }) => offset < end);
  const source = { partitions, key: serde.nullable(serde.bytes), value: serde.nullable(serde.bytes) };
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, reads.signal]);
  await using consumer = ottla.consumer(source, { ...reads.options, from: 'earliest', signal });
  using _watch = open.watch(consumer, { isDone: () => open.isDone, onDone: () => stop.abort() });
  for await (const message of consumer) {
    const { partition, topic, offset, timestamp } = message;
    const isOver = reads.untilMs !== null && timestamp >= reads.untilMs;
    if (isOver) {
      open.close(topic, partition);
      consumer.pause([{ topic, partition }]);
    } else if (open.isWanted(topic, partition, offset)) yield message;
    if (open.isDone) return;
  }
}

interface GroupReads {
  readonly topics: readonly string[];
  readonly options: ConsumerOptions & { readonly group: string };
  /** Up to here with `--exit`; null to go on. */
  readonly ends: readonly ReadPlan[] | null;
  readonly signal: AbortSignal;
}

/**
 * Reads as a member of a group, which commits what was handed out. With ends it leaves when it has passed them in all partitions that it
 * was given.
 */
export async function* readAsMember({ ottla }: ClusterAccess, reads: GroupReads): RecordSource {
  const { serde, topic } = await import('@ottla/client');
  const bytes = { key: serde.nullable(serde.bytes), value: serde.nullable(serde.bytes) };
  const source = reads.topics.map((name) => topic(name, bytes));
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, reads.signal]);
  let isAssigned = false;
  const onAssigned = (): void => {
    isAssigned = true;
  };
  await using consumer = ottla.consumer(source, { ...reads.options, onAssigned, signal });
  const open = reads.ends === null ? null : new EndWatch(reads.ends);
  const isDone = (): boolean => isAssigned && open?.isOpenIn(consumer.assignment) === false;
  using _watch = open?.watch(consumer, { isDone, onDone: () => stop.abort() });
  const messages = consumer[Symbol.asyncIterator]();
  try {
    for (let next = await messages.next(); next.done !== true; next = await messages.next()) yield next.value;
  } finally {
    // Whoever leaves has printed the record it is at: asking for one more says so, and then it is committed.
    stop.abort();
    await messages.next();
  }
}

/** Which partitions are not at their end yet. The end need not be a record: markers and what compaction removed count as offsets too. */
class EndWatch {
  readonly #open: Map<string, number>;
  readonly #ends: ReadonlyMap<string, number>;

  constructor(plan: readonly ReadPlan[]) {
    this.#open = new Map(
      plan
        .filter(({ offset, end }) => offset < end)
        .map((each) => [keyOf(each.topic, each.partition), each.end]),
    );
    this.#ends = new Map(this.#open);
  }

  get isDone(): boolean {
    return this.#open.size === 0;
  }

  close(topic: string, partition: number): void {
    this.#open.delete(keyOf(topic, partition));
  }

  /** Whether a record lies before the end; notes when it is the last one. */
  isWanted(topic: string, partition: number, offset: number): boolean {
    const key = keyOf(topic, partition);
    const end = this.#ends.get(key) ?? 0;
    if (offset + 1 >= end) this.#open.delete(key);
    return offset < end;
  }

  /** Whether one of these partitions is not at its end. */
  isOpenIn(places: readonly TopicPartition[]): boolean {
    return places.some(({ topic, partition }) => this.#open.has(keyOf(topic, partition)));
  }

  /** Looks at the positions of the consumer now and then; calls `onDone` once it is done. */
  watch(
    consumer: Consumer,
    call: { readonly isDone: () => boolean; readonly onDone: () => void },
  ): Disposable {
    const clock = new NodeClock();
    let timer = null as TimerHandle | null;
    const check = (): void => {
      for (const { topic, partition, position } of consumer.lag())
        if (position >= (this.#open.get(keyOf(topic, partition)) ?? Infinity)) this.close(topic, partition);
      if (call.isDone()) call.onDone();
      else timer = clock.setTimer(END_CHECK_MS, check);
    };
    // Endless reads have no end to look for.
    const ends = [...this.#ends.values()];
    if (ends.length === 0 || ends.some(Number.isFinite)) check();
    return { [Symbol.dispose]: () => timer?.cancel() };
  }
}

function keyOf(topic: string, partition: number): string {
  return `${topic}-${partition}`;
}
