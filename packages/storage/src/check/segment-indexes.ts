import type { BatchSummary } from '@ottla/protocol';
import type { IndexContext } from '../indexes/index-file.ts';
import { OffsetIndex } from '../indexes/offset-index.ts';
import { TimeIndex } from '../indexes/time-index.ts';
import { TransactionIndex, type AbortedTxn } from '../indexes/transaction-index.ts';
import { OffsetIndexCheck, offsetIndexEntries, TimeIndexCheck } from './index-checks.ts';
import type { ProblemKind, ProblemList, ProblemPlace } from './log-problem.ts';
import type { SegmentFiles } from './partition-files.ts';
import { TransactionIndexCheck } from './transaction-index-check.ts';

/** What is known of a segment when all its batches have been seen. */
export interface SegmentEnd {
  /** The next start makes its indexes anew: nothing is to be said of them. */
  readonly isScanned: boolean;
  /** It is the last one of the log. */
  readonly isLast: boolean;
  /** First offset of the log, and whether all batches behind an offset have been seen. */
  readonly beginOffset: number;
  readonly isWholeSince: (offset: number) => boolean;
}

/** Compares the three indexes of a segment with its batches, which it is shown in order. */
export class SegmentIndexes {
  readonly #context: IndexContext;
  readonly #files: SegmentFiles;
  readonly #offsetIndex: OffsetIndex;
  readonly #timeIndex: TimeIndex;
  readonly #txnIndex: TransactionIndex;
  readonly #offsets: OffsetIndexCheck;
  readonly #times: TimeIndexCheck;
  readonly #aborted = new TransactionIndexCheck();
  #maxTimestamp = -1;

  constructor(context: IndexContext, files: SegmentFiles) {
    const { baseOffset } = files;
    this.#context = context;
    this.#files = files;
    this.#offsetIndex = new OffsetIndex(context, { path: files.offsetIndex, baseOffset, maxBytes: Infinity });
    this.#timeIndex = new TimeIndex(context, { path: files.timeIndex, baseOffset, maxBytes: Infinity });
    this.#txnIndex = new TransactionIndex(context, files.txnIndex);
    this.#offsets = new OffsetIndexCheck(this.#offsetIndex);
    this.#times = new TimeIndexCheck(this.#timeIndex, baseOffset);
  }

  /** Where the offset index knows of batches. */
  *positions(): Generator<number> {
    for (const entry of offsetIndexEntries(this.#offsetIndex)) yield entry.position;
  }

  /** Position of the last batch that the offset index knows. */
  get lastPosition(): number {
    return this.#offsetIndex.lookup(Number.MAX_SAFE_INTEGER).position;
  }

  visit(batch: BatchSummary, position: number): void {
    this.#offsets.visit(batch, position);
    this.#times.visit(batch);
    if (batch.maxTimestamp > this.#maxTimestamp) this.#maxTimestamp = batch.maxTimestamp;
  }

  /** An abort marker; `aborted` is null when the log has nothing of its transaction. */
  visitAbort(offset: number, producerId: number, aborted: AbortedTxn | null): void {
    this.#aborted.visit(offset, { producerId, aborted });
  }

  /** The segment ends here: tells of what is wrong. */
  end(problems: ProblemList, end: SegmentEnd): void {
    // Whatever they are like: a crash leaves them behind, Kafka with room in advance.
    if (end.isScanned) return;
    const found = new IndexFindings(problems);
    this.#endOffsetIndex(found);
    this.#endTimeIndex(found, end);
    this.#endTransactionIndex(found, end);
  }

  /** The size of an index file; -1 when there is none. */
  #sizeOf(path: string): number {
    return this.#context.disk.existsSync(path) ? this.#context.disk.sizeSync(path) : -1;
  }

  /** Only a segment without batches does without. */
  #isMissing(path: string): boolean {
    return this.#sizeOf(path) < 0 && this.#files.sizeInBytes > 0;
  }

  #endOffsetIndex(found: IndexFindings): void {
    const { offsetIndex: file, sizeInBytes } = this.#files;
    const size = this.#sizeOf(file);
    if (this.#isMissing(file)) found.rebuilt('offset-index', file, 'The offset index is missing');
    else if (!this.#offsetIndex.isSane(sizeInBytes, Math.max(0, size)))
      found.rebuilt('offset-index', file, 'The offset index fails the check that a start makes');
    else {
      this.#offsets.end();
      for (const { offset, problem, isHarmful } of this.#offsets.faults)
        if (isHarmful)
          found.wrong('offset-index', { file, offset }, `Entry for offset ${offset}: ${problem}`);
    }
  }

  #endTimeIndex(found: IndexFindings, end: SegmentEnd): void {
    const { timeIndex: file } = this.#files;
    if (this.#isMissing(file)) return found.rebuilt('time-index', file, 'The time index is missing');
    if (!this.#timeIndex.isSane(Math.max(0, this.#sizeOf(file))))
      return found.rebuilt('time-index', file, 'The time index fails the check that a start makes');
    this.#times.end();
    const harmful = this.#times.faults.filter(({ isHarmful }) => isHarmful);
    for (const { offset, problem } of harmful)
      found.wrong('time-index', { file, offset }, `Entry for offset ${offset}: ${problem}`);
    const last = this.#timeIndex.lastEntry().timestamp;
    const isSealed = !end.isLast;
    if (harmful.length === 0 && isSealed && last < this.#maxTimestamp)
      found.wrong(
        'time-index',
        { file },
        `Its last entry has timestamp ${last}, the newest batch ${this.#maxTimestamp}: retention goes by the entry`,
      );
  }

  #endTransactionIndex(found: IndexFindings, end: SegmentEnd): void {
    const { txnIndex: file, baseOffset } = this.#files;
    if (!this.#txnIndex.isSane(baseOffset, Math.max(0, this.#sizeOf(file))))
      return found.rebuilt(
        'transaction-index',
        file,
        'The transaction index fails the check that a start makes',
      );
    for (const { offset, problem } of this.#aborted.end(this.#txnIndex.entries(), end))
      found.wrong('transaction-index', { file, offset }, `The abort at offset ${offset}: ${problem}`);
  }
}

/** Tells of what is wrong with indexes that the next start takes as they are, or makes anew if it notices. */
class IndexFindings {
  readonly #problems: ProblemList;

  constructor(problems: ProblemList) {
    this.#problems = problems;
  }

  /** A start finds it out by itself. */
  rebuilt(kind: ProblemKind, file: string, problem: string): void {
    this.#problems.problem(
      kind,
      { file },
      { problem, remedy: 'The next start reads the segment and makes its indexes anew' },
    );
  }

  /** A start takes it as it is. */
  wrong(kind: ProblemKind, place: ProblemPlace, problem: string): void {
    this.#problems.problem(kind, place, {
      problem,
      remedy:
        "A start does not come across it. Remove the segment's .index: the next start makes all three indexes anew",
    });
  }
}
