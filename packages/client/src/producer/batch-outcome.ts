/** Where a record is stored. */
export interface RecordMetadata {
  readonly topic: string;
  readonly partition: number;
  /** -1 with `acks: 0`, and when the broker only says that it has the record already. */
  readonly offset: number;
  /** Milliseconds: the record's own, or the broker's where the topic says `message.timestamp.type=LogAppendTime`. */
  readonly timestamp: number;
}

/** Counts the failures that nobody looked at, until `flush` or `close` tells. */
export class FailureLedger {
  #count = 0;
  #first: Error | undefined;
  /** Goes up with each telling: what was told of is not among those that are counted now. */
  #page = 0;

  /** Notes that `count` records failed and nobody waits for them; returns the page that they stand on, for `seen`. */
  add(count: number, error: Error): number {
    if (count > 0) {
      this.#count += count;
      this.#first ??= error;
    }
    return this.#page;
  }

  /** One of those on the page was looked at after all. */
  seen(page: number): void {
    if (page !== this.#page) return;
    this.#count -= 1;
    if (this.#count === 0) this.#first = undefined;
  }

  /** What was noted since the last call; undefined when there was nothing. */
  take(): { readonly count: number; readonly first: Error } | undefined {
    const first = this.#first;
    if (first === undefined) return undefined;
    const count = this.#count;
    this.#count = 0;
    this.#first = undefined;
    this.#page += 1;
    return { count, first };
  }
}

interface Observer {
  readonly index: number;
  readonly deltaMs: number;
  readonly resolve: (metadata: RecordMetadata) => void;
  readonly reject: (error: Error) => void;
}

/** What became of a batch. */
export interface BatchResult {
  readonly baseOffset: number;
  /** -1 when the records keep their own timestamps. */
  readonly logAppendTimeMs: number;
}

/**
 * What became of the records of a batch: one object for all of them, which they ask with their index. A batch that had to be
 * split passes questions on to its parts.
 */
export class BatchOutcome {
  readonly topic: string;
  readonly partition: number;
  /** Timestamps of records are kept relative to this one. */
  baseTimestamp = -1;
  readonly #ledger: FailureLedger;
  #result: BatchResult | undefined;
  #error: Error | undefined;
  #errorOf: ((index: number) => Error) | undefined;
  /** Where the ledger has the failures that nobody looked at. */
  #ledgerPage = -1;
  #observers: Observer[] = [];
  #parts: readonly { readonly from: number; readonly outcome: BatchOutcome }[] | undefined;

  constructor(topic: string, partition: number, ledger: FailureLedger) {
    this.topic = topic;
    this.partition = partition;
    this.#ledger = ledger;
  }

  /** Tells the observer about the record `index` now or when it is known. */
  observe(observer: Observer): void {
    if (this.#result !== undefined) {
      observer.resolve(this.#metadata(this.#result, observer));
    } else if (this.#error !== undefined) {
      this.#ledger.seen(this.#ledgerPage);
      observer.reject(this.#errorOf?.(observer.index) ?? this.#error);
    } else if (this.#parts !== undefined) {
      const part = this.#parts.findLast(({ from }) => from <= observer.index)!;
      part.outcome.observe({
        ...observer,
        index: observer.index - part.from,
        deltaMs: observer.deltaMs + this.baseTimestamp - part.outcome.baseTimestamp,
      });
    } else {
      this.#observers.push(observer);
    }
  }

  /** All records are stored. */
  succeed(result: BatchResult): void {
    this.#result = result;
    const observers = this.#observers;
    this.#observers = [];
    for (const observer of observers) observer.resolve(this.#metadata(result, observer));
  }

  /** None is stored, or none is known to be; `errorOf` has an error of its own for single records. */
  fail(error: Error, recordCount: number, errorOf?: (index: number) => Error): void {
    this.#error = error;
    this.#errorOf = errorOf;
    const observers = this.#observers;
    this.#observers = [];
    this.#ledgerPage = this.#ledger.add(recordCount - observers.length, error);
    for (const { index, reject } of observers) reject(errorOf?.(index) ?? error);
  }

  /** Whether the records went on in smaller batches. */
  get isSplit(): boolean {
    return this.#parts !== undefined;
  }

  /** The records go on in smaller batches; `from` is the index of the first record of a part. */
  split(parts: readonly { readonly from: number; readonly outcome: BatchOutcome }[]): void {
    this.#parts = parts;
    const observers = this.#observers;
    this.#observers = [];
    for (const observer of observers) this.observe(observer);
  }

  #metadata(result: BatchResult, { index, deltaMs }: Observer): RecordMetadata {
    const { topic, partition, baseTimestamp } = this;
    return {
      topic,
      partition,
      offset: result.baseOffset < 0 ? -1 : result.baseOffset + index,
      timestamp: result.logAppendTimeMs < 0 ? baseTimestamp + deltaMs : result.logAppendTimeMs,
    };
  }
}
