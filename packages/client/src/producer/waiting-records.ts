import type { TimerHandle } from '@ottla/platform';
import type { Cluster } from '../cluster/cluster.ts';
import { TimeoutError } from '../errors/client-errors.ts';
import type { KafkaError } from '../errors/kafka-error.ts';
import { onAbort } from '../network/abort.ts';
import type { FailureLedger, RecordMetadata } from './batch-outcome.ts';
import { PendingRecord } from './pending-record.ts';
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

interface Entry {
  readonly record: WaitingRecord;
  readonly promise: PendingRecord;
  readonly deadlineMs: number;
  stopListening: (() => void) | null;
  isGone: boolean;
}

/** Records that wait for metadata of their topic or for room in the buffer, in the order in which they came: Java blocks here. */
export class WaitingRecords {
  readonly #cluster: Cluster;
  readonly #options: ResolvedProducerOptions;
  readonly #append: (record: WaitingRecord) => Promise<RecordMetadata> | undefined;
  readonly #isReady: (topic: string) => boolean;
  readonly #ledger: FailureLedger;
  #entries: Entry[] = [];
  /** Topics whose metadata is being fetched. */
  readonly #fetching = new Set<string>();
  #timer: TimerHandle | null = null;
  #settledWaiters: (() => void)[] = [];

  constructor(setup: {
    readonly cluster: Cluster;
    readonly options: ResolvedProducerOptions;
    readonly append: (record: WaitingRecord) => Promise<RecordMetadata> | undefined;
    readonly isReady: (topic: string) => boolean;
    readonly ledger: FailureLedger;
  }) {
    this.#cluster = setup.cluster;
    this.#options = setup.options;
    this.#append = setup.append;
    this.#isReady = setup.isReady;
    this.#ledger = setup.ledger;
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** Waits with the others; rejects with a TimeoutError after `max.block.ms`, or with the signal's reason. */
  add(record: WaitingRecord, signal: AbortSignal | undefined): Promise<RecordMetadata> {
    const { maxBlockMs } = this.#options;
    const deadlineMs = this.#cluster.options.clock.monotonicMs() + maxBlockMs;
    const promise = new PendingRecord(this.#ledger);
    const entry: Entry = { record, promise, deadlineMs, stopListening: null, isGone: false };
    if (signal !== undefined) {
      entry.stopListening = onAbort(signal, () => {
        this.#drop(entry, signal.reason as Error);
        this.proceed();
      });
    }
    this.#entries.push(entry);
    this.#fetch(record.topic);
    this.#armTimer();
    return promise;
  }

  /** Tries again what waits, oldest first, until one has to go on waiting. */
  proceed(): void {
    let taken = 0;
    for (const entry of this.#entries) {
      if (!entry.isGone) {
        const sent = this.#append(entry.record);
        if (sent === undefined) break;
        entry.stopListening?.();
        entry.promise.follow(sent);
      }
      taken += 1;
    }
    if (taken > 0) this.#entries = this.#entries.slice(taken);
    this.#armTimer();
    if (this.isEmpty) for (const wake of this.#settledWaiters.splice(0)) wake();
  }

  /** Resolves when nothing waits. */
  settled(): Promise<void> {
    if (this.isEmpty) return Promise.resolve();
    return new Promise((resolve) => this.#settledWaiters.push(resolve));
  }

  failAll(error: KafkaError): void {
    const entries = this.#entries;
    this.#entries = [];
    for (const entry of entries) this.#drop(entry, error);
    this.proceed();
  }

  #drop(entry: Entry, reason: Error): void {
    if (entry.isGone) return;
    entry.isGone = true;
    entry.stopListening?.();
    entry.promise.fail(reason);
  }

  #fetch(topic: string): void {
    if (this.#isReady(topic) || this.#fetching.has(topic)) return;
    this.#fetching.add(topic);
    const { allowAutoTopicCreation, maxBlockMs } = this.#options;
    this.#cluster.topics([topic], { allowAutoTopicCreation, timeoutMs: maxBlockMs }).then(
      () => {
        this.#fetching.delete(topic);
        this.proceed();
      },
      (error: Error) => {
        this.#fetching.delete(topic);
        for (const entry of this.#entries) if (entry.record.topic === topic) this.#drop(entry, error);
        this.proceed();
      },
    );
  }

  #armTimer(): void {
    this.#timer?.cancel();
    this.#timer = null;
    const first = this.#entries.find(({ isGone }) => !isGone);
    if (first === undefined) return;
    const { clock } = this.#cluster.options;
    this.#timer = clock.setTimer(Math.max(0, first.deadlineMs - clock.monotonicMs()), () => this.#expire());
  }

  #expire(): void {
    const { maxBlockMs } = this.#options;
    const nowMs = this.#cluster.options.clock.monotonicMs();
    for (const entry of this.#entries) {
      if (entry.deadlineMs > nowMs) break;
      const what = this.#isReady(entry.record.topic) ? 'room in the buffer (bufferMemoryBytes)' : 'metadata';
      this.#drop(
        entry,
        new TimeoutError(
          `A record for topic "${entry.record.topic}" waited ${maxBlockMs} ms (maxBlockMs) for ${what}`,
          maxBlockMs,
        ),
      );
    }
    this.proceed();
  }
}
