import type { TimerHandle } from '@ottla/platform';
import { TimeoutError } from '../errors/client-errors.ts';
import { isRetriableError, KafkaError } from '../errors/kafka-error.ts';
import { onAbort } from '../network/abort.ts';
import { ArrivalSet } from './arrival-set.ts';
import type { FailureLedger, RecordMetadata } from './batch-outcome.ts';
import { PendingRecord } from './pending-record.ts';
import type { ProducerCluster } from './producer-cluster.ts';
import type { ResolvedProducerOptions } from './producer-options.ts';
import type { HeaderPair, RecordBytes } from './record-bytes.ts';

/** A record with everything that a batch needs of it. */
export interface WaitingRecord {
  readonly topic: string;
  /** -1: to be chosen. */
  readonly partition: number;
  readonly timestamp: number;
  readonly key: RecordBytes;
  readonly value: RecordBytes;
  readonly headers: readonly HeaderPair[];
}

/** What a record still lacks: the partitions of its topic, a partition beyond those that are known, or nothing but room. */
export type Missing = 'topic' | 'partition' | 'nothing';

interface Entry {
  readonly record: WaitingRecord;
  /** What it counts for in memory. */
  readonly bytes: number;
  readonly promise: PendingRecord;
  readonly deadlineMs: number;
  readonly order: number;
  /** Of the line for metadata that it stands in; undefined in the one for room. */
  key: string | undefined;
  stopListening: (() => void) | null;
}

interface WaitingSetup {
  readonly cluster: ProducerCluster;
  readonly options: ResolvedProducerOptions;
  /** Undefined when there is no room. */
  readonly append: (record: WaitingRecord) => Promise<RecordMetadata> | undefined;
  readonly missing: (record: WaitingRecord) => Missing;
  readonly ledger: FailureLedger;
  /** A record will not be sent. */
  readonly onFailure: (error: Error) => void;
}

/** What a record takes beside its content while it waits: its promise, its place in a line, and its fields as objects. */
const RECORD_OVERHEAD_BYTES = 128;
/**
 * How much may wait, in buffers: a program that sends a whole list at once has it in memory anyway and is let, a loop that awaits
 * nothing must not fill the process.
 */
const MOST_BUFFERS = 8;

/**
 * Records that cannot go into a batch yet; Java blocks here. What comes beyond a few times `buffer.memory` is refused at once. Those
 * without metadata wait in a line for each topic, so that a topic that does not come holds up no other, and then with all others for
 * room in the buffer, in the order in which they came:
 *
 *   topic "a"   | record | record |  --metadata-->  | room: record | record | record |  --room-->  batches
 *   topic "b"   | record |           --metadata-->
 */
export class WaitingRecords {
  readonly #setup: WaitingSetup;
  /** Lines of a topic, or of a partition that is beyond those that are known. */
  readonly #lines = new Map<string, ArrivalSet<Entry>>();
  readonly #room = new ArrivalSet<Entry>();
  /** All of them by the time that they may wait until, which is the order in which they came. */
  readonly #all = new ArrivalSet<Entry>();
  /** Topics whose metadata is being fetched. */
  readonly #fetching = new Set<string>();
  #nextOrder = 0;
  #bytes = 0;
  #timer: TimerHandle | null = null;
  /** Whoever waits until no record of an order up to `lastOrder` waits. */
  readonly #settledWaiters = new Set<{ readonly lastOrder: number; readonly wake: () => void }>();

  constructor(setup: WaitingSetup) {
    this.#setup = setup;
  }

  get isEmpty(): boolean {
    return this.#all.size === 0;
  }

  /** Whether a record must wait behind others. */
  isBehind(record: WaitingRecord): boolean {
    return this.#all.size > 0 && (this.#room.size > 0 || this.#lineFor(record) !== undefined);
  }

  /**
   * Waits with the others; rejects with a TimeoutError after `max.block.ms`, or with the signal's reason.
   * @throws KafkaError BUFFER_EXHAUSTED when those that wait already take all the memory that they may
   */
  add(record: WaitingRecord, signal: AbortSignal | undefined): Promise<RecordMetadata> {
    const { cluster, options, ledger } = this.#setup;
    const bytes = bytesOf(record);
    if (!this.isEmpty && this.#bytes + bytes > MOST_BUFFERS * options.bufferMemoryBytes)
      throw this.#exhausted(record);
    const promise = new PendingRecord(ledger);
    const entry: Entry = {
      bytes,
      // The caller may use its bytes again as soon as `send` has returned.
      record: withOwnBytes(record),
      promise,
      deadlineMs: cluster.options.clock.monotonicMs() + options.maxBlockMs,
      order: (this.#nextOrder += 1),
      key: undefined,
      stopListening: null,
    };
    if (signal !== undefined) {
      entry.stopListening = onAbort(signal, () => {
        this.#drop(entry, signal.reason as Error);
        this.proceed();
      });
    }
    this.#all.add(entry);
    this.#bytes += bytes;
    this.#stand(entry);
    if (this.#timer === null) this.#armTimer();
    return promise;
  }

  /** New metadata is there. */
  onMetadata(): void {
    if (this.#lines.size === 0) return;
    for (const [key, line] of Array.from(this.#lines)) {
      // What the first one lacks, all of them lack.
      const first = line.oldest;
      const missing = this.#setup.missing(first!.record);
      if (missing === 'partition') this.#askAgain(first!.record.topic);
      if (missing !== 'nothing' && key === keyOf(first!.record, missing)) continue;
      this.#lines.delete(key);
      for (const entry of line) this.#stand(entry);
    }
    this.proceed();
  }

  /** Tries again what waits for room, oldest first, until one has to go on waiting. */
  proceed(): void {
    for (let entry = this.#room.oldest; entry !== undefined; entry = this.#room.oldest) {
      let sent: Promise<RecordMetadata> | undefined;
      try {
        sent = this.#setup.append(entry.record);
      } catch (error) {
        this.#drop(entry, error as Error);
        continue;
      }
      if (sent === undefined) break;
      this.#leave(entry);
      entry.promise.follow(sent);
    }
    this.#armTimer();
    this.#wakeSettled();
  }

  /** Resolves when none of the records that wait now waits any more; rejects with the signal's reason. */
  settled(signal?: AbortSignal): Promise<void> {
    if (this.isEmpty) return Promise.resolve();
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    return new Promise((resolve, reject) => {
      const stopListening =
        signal === undefined
          ? undefined
          : onAbort(signal, () => {
              this.#settledWaiters.delete(waiter);
              reject(signal.reason as Error);
            });
      const wake = (): void => {
        stopListening?.();
        resolve();
      };
      const waiter = { lastOrder: this.#nextOrder, wake };
      this.#settledWaiters.add(waiter);
    });
  }

  #wakeSettled(): void {
    const { oldest } = this.#all;
    for (const waiter of this.#settledWaiters) {
      if (oldest !== undefined && oldest.order <= waiter.lastOrder) continue;
      this.#settledWaiters.delete(waiter);
      waiter.wake();
    }
  }

  failAll(error: KafkaError): void {
    for (const entry of this.#all) {
      this.#leave(entry);
      entry.promise.fail(error);
    }
    this.proceed();
  }

  /** Puts a record into the line for what it lacks. */
  #stand(entry: Entry): void {
    const { record } = entry;
    const line = this.#lineFor(record);
    if (line !== undefined) {
      entry.key = line.oldest!.key;
      line.add(entry);
      return;
    }
    const missing = this.#setup.missing(record);
    entry.key = missing === 'nothing' ? undefined : keyOf(record, missing);
    if (entry.key === undefined) this.#room.add(entry);
    else this.#lines.set(entry.key, new ArrivalSet([entry]));
    if (missing === 'topic') this.#fetch(record.topic);
    else if (missing === 'partition') this.#askAgain(record.topic);
  }

  /** The line of others that a record has to join. */
  #lineFor(record: WaitingRecord): ArrivalSet<Entry> | undefined {
    if (this.#lines.size === 0) return undefined;
    const line = this.#lines.get(keyOf(record, 'topic'));
    return line ?? (record.partition < 0 ? undefined : this.#lines.get(keyOf(record, 'partition')));
  }

  #leave(entry: Entry): void {
    entry.stopListening?.();
    this.#all.delete(entry);
    this.#bytes -= entry.bytes;
    if (entry.key === undefined) {
      this.#room.delete(entry);
      return;
    }
    const line = this.#lines.get(entry.key)!;
    line.delete(entry);
    if (line.size === 0) this.#lines.delete(entry.key);
  }

  #drop(entry: Entry, reason: Error): void {
    if (!this.#all.has(entry)) return;
    this.#leave(entry);
    entry.promise.fail(reason);
    this.#setup.onFailure(reason);
  }

  #fetch(topic: string): void {
    if (this.#fetching.has(topic)) return;
    this.#fetching.add(topic);
    const { cluster, options } = this.#setup;
    const { allowAutoTopicCreation, maxBlockMs } = options;
    const lastOrder = this.#nextOrder;
    cluster.topics([topic], { allowAutoTopicCreation, timeoutMs: maxBlockMs }).then(
      () => {
        this.#fetching.delete(topic);
        this.onMetadata();
      },
      (error: Error) => {
        this.#fetching.delete(topic);
        // Records that came while it was looked for have not waited for as long as they may.
        const isFinal = !isRetriableError(error);
        for (const entry of this.#lines.get(topic) ?? [])
          if (isFinal || entry.order <= lastOrder) this.#drop(entry, error);
        if (this.#lines.has(topic)) this.#fetch(topic);
        this.proceed();
      },
    );
  }

  /** Also where nothing has been sent to the topic for so long that it is not asked for any more. */
  #askAgain(topic: string): void {
    const { cluster } = this.#setup;
    cluster.keepFresh(topic);
    cluster.requestMetadataUpdate();
  }

  #armTimer(): void {
    this.#timer?.cancel();
    this.#timer = null;
    const first = this.#all.oldest;
    if (first === undefined) return;
    const { clock } = this.#setup.cluster.options;
    this.#timer = clock.setTimer(Math.max(0, first.deadlineMs - clock.monotonicMs()), () => this.#expire());
  }

  #expire(): void {
    const { cluster, options, missing } = this.#setup;
    const { maxBlockMs } = options;
    const nowMs = cluster.options.clock.monotonicMs();
    for (const entry of this.#all) {
      if (entry.deadlineMs > nowMs) break;
      const text = `A record waited ${maxBlockMs} ms (maxBlockMs) for ${whatIs(missing(entry.record), entry.record)}`;
      this.#drop(entry, new TimeoutError(text, maxBlockMs));
    }
    this.proceed();
  }

  #exhausted(record: WaitingRecord): KafkaError {
    const { options, missing } = this.#setup;
    const { oldest } = this.#all;
    const what = whatIs(missing(oldest!.record), oldest!.record);
    return new KafkaError(
      'BUFFER_EXHAUSTED',
      `A record for topic "${record.topic}" is refused: ${this.#all.size} records already wait for ${what}, and no more than ${MOST_BUFFERS} times bufferMemoryBytes "${options.bufferMemoryBytes}" may; use sendMany, or await producer.room() in the loop, or raise bufferMemoryBytes`,
      { retriable: true },
    );
  }
}

function whatIs(missing: Missing, { topic, partition }: WaitingRecord): string {
  if (missing === 'topic') return `metadata of topic "${topic}"`;
  if (missing === 'partition') return `partition "${partition}" of topic "${topic}", which is not there`;
  return `room for topic "${topic}" in the buffer (bufferMemoryBytes)`;
}

/** What a record counts for while it waits. */
function bytesOf({ key, value, headers }: WaitingRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + lengthOf(key) + lengthOf(value);
  for (const [name, content] of headers) bytes += name.length + lengthOf(content);
  return bytes;
}

function lengthOf(field: RecordBytes): number {
  return field === null ? 0 : field.length;
}

/** The name of the line for what a record lacks; a topic has no slash in its name. */
function keyOf({ topic, partition }: WaitingRecord, missing: 'topic' | 'partition'): string {
  return missing === 'topic' ? topic : `${partition}/${topic}`;
}

function withOwnBytes(record: WaitingRecord): WaitingRecord {
  const { key, value, headers } = record;
  return {
    ...record,
    key: ownBytes(key),
    value: ownBytes(value),
    headers: headers.map(([name, content]): HeaderPair => [name, ownBytes(content)]),
  };
}

function ownBytes(field: RecordBytes): RecordBytes {
  return field instanceof Uint8Array ? Buffer.from(field) : field;
}
