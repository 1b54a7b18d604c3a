import type { ConsumerInterceptors } from '../consumer-interceptor.ts';
import type { FetchCounters } from '../../metrics/fetch-counters.ts';
import type { ResolvedConsumerOptions } from '../consumer-options.ts';
import { ChunkReader } from '../fetch/chunk-reader.ts';
import type { PartitionState } from '../partition-state.ts';
import { Message } from './message.ts';
import type { TopicSerdes } from './record-run.ts';

export interface RecordSourceParts {
  readonly options: ResolvedConsumerOptions;
  /** Null when there are none. */
  readonly interceptors: ConsumerInterceptors | null;
  readonly counters: FetchCounters;
  readonly serdesOf: (topic: string) => TopicSerdes;
  /** A chunk was handed out: there may be room for another fetch. */
  readonly onDrained: (state: PartitionState) => void;
}

/** Hands out what is buffered, a chunk of one partition after a chunk of another, in order inside each. Synchronous. */
export class RecordSource {
  readonly #parts: RecordSourceParts;
  readonly #counters: FetchCounters;
  readonly #interceptors: ConsumerInterceptors | null;
  #current: PartitionState | null = null;
  /** Partitions with something buffered, in the order in which it came. */
  readonly #queue = new Set<PartitionState>();
  /** Partitions with an error that the application has to see. */
  readonly #failed = new Set<PartitionState>();

  constructor(parts: RecordSourceParts) {
    this.#parts = parts;
    this.#counters = parts.counters;
    this.#interceptors = parts.interceptors;
  }

  /** The partition has records, may be read again, or has got an error. */
  offer(state: PartitionState): void {
    if (state.error !== null) this.#failed.add(state);
    if (state.hasRecords && state !== this.#current) this.#queue.add(state);
  }

  /** The partition of what was handed out last. */
  get current(): PartitionState | null {
    return this.#current;
  }

  /** The next record, marked as in hand; null when nothing is buffered. @throws PartitionError of a partition that cannot go on */
  next(): Message | null {
    for (;;) {
      const state = this.#advance();
      if (state === null) return null;
      const message = this.#take(state);
      if (message === null) continue;
      state.inHandOffset = message.offset;
      return message;
    }
  }

  /** Up to `most` records of one partition, marked as in hand; empty when nothing is buffered. @throws PartitionError like `next` */
  nextBatch(most: number): Message[] {
    const messages: Message[] = [];
    while (messages.length === 0) {
      const state = this.#advance();
      if (state === null) return [];
      do {
        const message = this.#take(state);
        if (message !== null) messages.push(message);
      } while (messages.length < most && this.#step(state));
      if (messages.length > 0) state.inHandOffset = messages[0]!.offset;
    }
    return messages;
  }

  /** The record that the reader stands at; null when an interceptor leaves it out. */
  #take(state: PartitionState): Message | null {
    const reader = state.reader!;
    this.#counters.recordsConsumed += 1;
    state.position = reader.offset + 1;
    state.positionEpoch = reader.leaderEpoch;
    const message = new Message(reader.run!, reader.records!, reader.offset, reader.timestamp);
    return this.#interceptors === null ? message : this.#interceptors.consume(message);
  }

  /** Brings some partition's reader to its next record. */
  #advance(): PartitionState | null {
    for (;;) {
      const state = this.#current ?? this.#pick();
      if (state === null) return null;
      this.#current = state;
      if (state.hasRecords && this.#step(state)) return state;
      this.#current = null;
      // Others have their turn before its next chunk.
      if (state.hasRecords) this.#queue.add(state);
    }
  }

  /** Goes to the next record of the chunk that is open, or of the next one; false at the end of a chunk. */
  #step(state: PartitionState): boolean {
    const reader = state.reader ?? this.#open(state);
    if (reader.next(state.position)) return true;
    if (reader.error !== null) {
      state.error = reader.error;
      state.phase = 'unknown';
      this.#failed.add(state);
      for (const chunk of state.chunks.splice(0)) chunk.release();
      state.bufferedBytes = 0;
    } else if (reader.endOffset > state.position) {
      // Control batches, aborted and compacted records at the end are behind us too.
      state.position = reader.endOffset;
      state.positionEpoch = reader.leaderEpoch;
    }
    reader.release();
    state.reader = null;
    this.#parts.onDrained(state);
    return false;
  }

  #open(state: PartitionState): ChunkReader {
    const chunk = state.chunks.shift()!;
    state.bufferedBytes -= chunk.records.length;
    this.#counters.bytesConsumed += chunk.records.length;
    const { options, serdesOf } = this.#parts;
    state.reader = new ChunkReader(chunk, {
      serdes: serdesOf(state.topic),
      checkCrcs: options.checkCrcs,
      isReadCommitted: options.isReadCommitted,
    });
    return state.reader;
  }

  #pick(): PartitionState | null {
    this.#throwErrors();
    for (const state of this.#queue) {
      this.#queue.delete(state);
      if (state.hasRecords) return state;
    }
    return null;
  }

  #throwErrors(): void {
    for (const state of this.#failed) {
      if (state.error === null || state.isGone) this.#failed.delete(state);
      // What came before the error is handed out first.
      else if (!state.isPaused && !state.isParked && !state.isLeaving && !state.hasRecords) throw state.error;
    }
  }
}
