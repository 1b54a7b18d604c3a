import { iterateBatches } from '@ottla/protocol';
import { CLEANED_SUFFIX } from '../files/log-files.ts';
import type { IndexContext } from '../indexes/index-file.ts';
import type { AbortedTxn } from '../indexes/transaction-index.ts';
import { DEFAULT_LOG_CONFIG } from '../log-config.ts';
import { LogSegment } from '../segments/log-segment.ts';
import type { CleanJob } from './clean-job.ts';

/** Output is written in pieces of about this much. */
const WRITE_BYTES = 1024 * 1024;

/** A segment that is being made by compaction: the files of a segment with the suffix `.cleaned`. */
export class CleanedSegment {
  readonly #segment: LogSegment;
  readonly #indexIntervalBytes: number;
  #pending: Buffer[] = [];
  #pendingBytes = 0;

  /** Removes what an interrupted compaction left under these names. */
  constructor(context: IndexContext, baseOffset: number, job: CleanJob) {
    const options = {
      folder: job.folder,
      baseOffset,
      suffix: CLEANED_SUFFIX,
      config: { ...DEFAULT_LOG_CONFIG, segmentIndexBytes: job.segmentIndexBytes },
      nowMs: job.nowMs,
      jitterMs: 0,
    };
    for (const path of new LogSegment(context, options).ownPaths()) context.disk.unlinkSync(path);
    this.#segment = new LogSegment(context, options);
    this.#segment.activate();
    this.#indexIntervalBytes = job.indexIntervalBytes;
  }

  get sizeInBytes(): number {
    return this.#segment.sizeInBytes + this.#pendingBytes;
  }

  /** Takes batches; they are copied, since they come from a buffer that is read into again. */
  append(batches: Buffer): void {
    this.#pending.push(Buffer.from(batches));
    this.#pendingBytes += batches.length;
    if (this.#pendingBytes >= WRITE_BYTES) this.#write();
  }

  appendAborted(txn: AbortedTxn): void {
    this.#segment.txnIndex.append(txn);
  }

  /** Writes the rest and makes all of it durable. */
  async finish(): Promise<void> {
    this.#write();
    this.#segment.seal();
    await this.#segment.sync();
    this.#segment.closeFile();
  }

  #write(): void {
    if (this.#pendingBytes === 0) return;
    this.#segment.write(this.#pending);
    for (const bytes of this.#pending) {
      for (const batch of iterateBatches(bytes)) this.#segment.noteBatch(batch, this.#indexIntervalBytes);
    }
    this.#pending = [];
    this.#pendingBytes = 0;
  }
}
