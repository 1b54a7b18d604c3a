import type { Disk } from '@ottla/platform';
import { validateBatchCrc, type BatchSummary } from '@ottla/protocol';
import { FilePool } from '../files/file-pool.ts';
import { METADATA_FOLDER } from '../files/metadata-files.ts';
import type { EndTransactionMarker } from '../producers/producer-state.ts';
import { readTransactionMarker } from '../producers/transaction-marker.ts';
import type { BatchVisit } from '../segments/batch-scanner.ts';
import { headerFault, recordsFault } from './batch-faults.ts';
import { readEpochs, type EpochCheck } from './epoch-check.ts';
import { checkLogEnd } from './log-end.ts';
import { ProblemList, type LogProblem } from './log-problem.ts';
import { checkMetadataFiles } from './metadata-check.ts';
import { OffsetOrder } from './offset-order.ts';
import { partitionFiles, type PartitionFiles, type SegmentFiles } from './partition-files.ts';
import { checkedTopicId, tellOfLeftovers } from './partition-folder.ts';
import { ProducerCheck } from './producer-check.ts';
import { SegmentIndexes } from './segment-indexes.ts';
import { scanDamaged, type UnreadableBytes } from './segment-scan.ts';
import { SnapshotCheck } from './snapshot-check.ts';
import {
  MetadataOutlook,
  RESTORE,
  StartOutlook,
  type KnownOffsets,
  type Outlook,
  type Verdict,
} from './start-outlook.ts';

export interface PartitionCheckOptions {
  readonly disk: Disk;
  /** The log directory. */
  readonly dir: string;
  /** Name of the partition's folder in it. */
  readonly name: string;
  readonly known: KnownOffsets;
  /** Headers and CRCs alone, without opening records. */
  readonly isShallow: boolean;
  readonly onProblem: (problem: LogProblem) => void;
  /** Told of the bytes that were read. */
  readonly onBytes: (count: number) => void;
}

/** What a partition holds, and how much was found. */
export interface PartitionReport {
  readonly dir: string;
  readonly partition: string;
  /** Null where the folder does not say. */
  readonly topicId: string | null;
  readonly segmentCount: number;
  readonly batchCount: number;
  /** By the headers of the batches. */
  readonly recordCount: number;
  readonly sizeInBytes: number;
  readonly logStartOffset: number;
  /** As the next start will have it. */
  readonly logEndOffset: number;
  readonly problemCount: number;
  readonly remarkCount: number;
}

/** Reads the whole log of a partition and tells of everything that is wrong with it; changes nothing. */
export async function checkPartition(options: PartitionCheckOptions): Promise<PartitionReport> {
  return new PartitionCheck(options).run();
}

/** A segment while it is being read. */
interface OpenSegment {
  readonly slot: number;
  readonly files: SegmentFiles;
  readonly range: { readonly baseOffset: number; readonly endOffset: number };
  readonly indexes: SegmentIndexes;
  /** All of it could be read, and was in order: indexes can be compared with it. */
  isWhole: boolean;
}

class PartitionCheck {
  readonly #options: PartitionCheckOptions;
  readonly #folder: string;
  readonly #isMetadata: boolean;
  readonly #pool: FilePool;
  readonly #problems: ProblemList;
  readonly #files: PartitionFiles;
  readonly #outlook: Outlook;
  readonly #order: OffsetOrder;
  readonly #snapshots: SnapshotCheck;
  readonly #producers: ProducerCheck;
  readonly #epochs: EpochCheck | null;
  #batchCount = 0;
  #recordCount = 0;
  /** Where the next start will end the log; null while nothing stands in its way. */
  #cutOffset: number | null = null;
  /** Where it may end, as long as it is not known what stands behind. */
  #ending: (FoundBreak & { hasIntactBehind: boolean }) | null = null;
  /** What came last is unreadable: where the log ends nobody can say. */
  #isEndUnknown = false;

  constructor(options: PartitionCheckOptions) {
    const { disk, dir, name, known, onProblem } = options;
    this.#options = options;
    this.#folder = `${dir}/${name}`;
    this.#isMetadata = name === METADATA_FOLDER;
    this.#pool = new FilePool(disk, 8);
    this.#problems = new ProblemList({ dir, partition: name }, onProblem);
    this.#files = partitionFiles(disk, this.#folder);
    const { segments } = this.#files;
    const bases = segments.map(({ baseOffset }) => baseOffset);
    this.#outlook = this.#isMetadata ? new MetadataOutlook(bases.length) : new StartOutlook(known, bases);
    const begin = bases[0] ?? known.logStartOffset ?? 0;
    this.#order = new OffsetOrder(begin);
    this.#snapshots = new SnapshotCheck(disk, this.#files.snapshots, {
      problems: this.#problems,
      isTrusted: (offset) => known.hadCleanShutdown || offset <= this.#outlook.recoveryPoint,
    });
    this.#producers = new ProducerCheck(this.#order, begin, this.#snapshots.begin(begin));
    this.#epochs = readEpochs(disk, this.#folder, this.#problems);
  }

  async run(): Promise<PartitionReport> {
    const { segments } = this.#files;
    try {
      tellOfLeftovers(this.#folder, this.#files, this.#problems);
      for (const [slot, files] of segments.entries()) {
        if (this.#cutOffset !== null || !this.#beginsSegment(slot, files)) break;
        await this.#checkSegment(slot, files);
      }
      if (this.#isMetadata) await this.#checkMetadataFiles();
      this.#end();
    } finally {
      this.#pool.close();
    }
    return this.#report();
  }

  #checkMetadataFiles(): Promise<void> {
    const { disk, onBytes } = this.#options;
    return checkMetadataFiles(
      { disk, folder: this.#folder, problems: this.#problems, onBytes },
      this.#files.segments[0]?.baseOffset ?? 0,
    );
  }

  #report(): PartitionReport {
    const { dir, name, known } = this.#options;
    const { segments } = this.#files;
    return {
      dir,
      partition: name,
      topicId: this.#topicId(),
      segmentCount: segments.length,
      batchCount: this.#batchCount,
      recordCount: this.#recordCount,
      sizeInBytes: segments.reduce((sum, { sizeInBytes }) => sum + sizeInBytes, 0),
      logStartOffset: Math.max(known.logStartOffset ?? 0, segments[0]?.baseOffset ?? 0),
      logEndOffset: this.#endOffset,
      problemCount: this.#problems.problemCount,
      remarkCount: this.#problems.remarkCount,
    };
  }

  get #endOffset(): number {
    return this.#cutOffset ?? this.#order.next;
  }

  #topicId(): string | null {
    const { disk, known } = this.#options;
    // A power cut before the first sync of the partition leaves the file empty or torn.
    const wasDurable = known.hadCleanShutdown || this.#outlook.recoveryPoint > 0;
    return checkedTopicId({ disk, folder: this.#folder, wasDurable }, this.#problems);
  }

  /** False where the next start ends the log before this segment. */
  #beginsSegment(slot: number, files: SegmentFiles): boolean {
    const expected = this.#order.next;
    const place = { file: files.log, position: 0, offset: expected };
    if (this.#outlook.endsBefore(slot, expected)) {
      const problem = `Offsets ${expected} to ${files.baseOffset - 1} are missing before the segment`;
      const hasIntactBehind = this.#hasBatchesFrom(slot);
      this.#tell(
        { slot, position: 0, offset: expected, isSeenInHeaders: false, place, problem },
        hasIntactBehind,
      );
      return false;
    }
    const problem = this.#order.beginSegment(files.baseOffset);
    if (problem !== null)
      this.#problems.problem('offsets', place, {
        problem: `The segment begins with offset ${files.baseOffset}, ${problem}`,
        remedy: `A start does not come across it; readers get offsets twice. ${RESTORE}`,
      });
    return true;
  }

  async #checkSegment(slot: number, files: SegmentFiles): Promise<void> {
    const { disk, onBytes } = this.#options;
    const next = this.#files.segments[slot + 1];
    const context = { disk, pool: this.#pool };
    const range = { baseOffset: files.baseOffset, endOffset: next?.baseOffset ?? Infinity };
    const indexes = new SegmentIndexes(context, files);
    const segment: OpenSegment = { slot, files, range, indexes, isWhole: true };
    const file = disk.openSync(files.log, 'read');
    try {
      await scanDamaged(
        { read: (target, length, position) => file.read(target, 0, length, position) },
        {
          size: files.sizeInBytes,
          offsets: { from: files.baseOffset, to: range.endOffset },
          knownPositions: () => segment.indexes.positions(),
          onBatch: (found) => this.#visit(segment, found),
          onUnreadable: (bytes) => this.#skip(segment, bytes),
          onChunk: onBytes,
        },
      );
    } finally {
      file.closeSync();
    }
    const ending = this.#ending;
    if (ending !== null) this.#tell(ending, ending.hasIntactBehind || this.#hasBatchesFrom(slot + 1));
    this.#ending = null;
    if (segment.isWhole)
      segment.indexes.end(this.#problems, {
        isScanned: this.#outlook.isScanned(slot),
        isLast: next === undefined,
        beginOffset: this.#producers.knowsBeginning ? 0 : this.#files.segments[0]!.baseOffset,
        isWholeSince: (offset) => this.#order.isWholeSince(offset),
      });
  }

  /** False to stop: the log ends here. */
  #visit(segment: OpenSegment, { batch, buffer, filePosition }: BatchVisit): boolean {
    const { slot, files } = segment;
    const isIntact = validateBatchCrc(buffer, batch.position);
    if (this.#ending !== null) return !(this.#ending.hasIntactBehind ||= isIntact);
    const expected = this.#order.next;
    const place = { file: files.log, position: filePosition, offset: expected };
    const found = { slot, position: filePosition, offset: expected, isSeenInHeaders: false };
    if (!isIntact) {
      segment.isWhole = false;
      this.#order.skip();
      this.#break({ ...found, place, problem: 'The batch does not match its CRC' });
      return true;
    }
    this.#isEndUnknown = false;
    this.#batchCount++;
    this.#recordCount += Math.max(0, batch.recordCount);
    const own = { ...place, offset: batch.baseOffset };
    const disorder = this.#order.visit(batch, segment.range);
    if (disorder !== null) {
      segment.isWhole = false;
      this.#disorder({ ...found, place: own, problem: `The batch is out of order: ${disorder}` });
      return true;
    }
    this.#checkContent(buffer, batch, own);
    segment.indexes.visit(batch, filePosition);
    this.#snapshots.before(batch.baseOffset, this.#producers);
    this.#checkEpoch(slot, batch, own);
    this.#checkProducer(segment, batch, { marker: markerOf(buffer, batch), place: own });
    return true;
  }

  /** What a start makes of a batch that is out of order depends on whether it reads it. */
  #disorder(found: FoundBreak): void {
    if (this.#outlook.isScanned(found.slot)) this.#break(found);
    else
      this.#problems.problem('offsets', found.place, {
        problem: found.problem,
        remedy: `A start does not come across it; readers get wrong records or stop there. ${RESTORE}`,
      });
  }

  #checkContent(buffer: Buffer, batch: BatchSummary, place: PlaceInLog): void {
    const fault = headerFault(batch) ?? (this.#options.isShallow ? null : recordsFault(buffer, batch));
    if (fault === null) return;
    const problem = `The batch is malformed, with the right CRC: ${fault.problem}`;
    if (fault.isHarmful)
      this.#problems.problem('records', place, {
        problem,
        remedy: `A start does not come across it; consumers stop at offset ${place.offset}. ${RESTORE}`,
      });
    else
      this.#problems.remark('records', place, {
        problem,
        remedy: 'Searches by time and retention go by the header: nothing has to be done',
      });
  }

  #checkEpoch(slot: number, batch: BatchSummary, place: PlaceInLog): void {
    const fault = this.#epochs?.visit(batch) ?? null;
    // A start finds the epochs of what it reads by itself; those of deleted records are the first to go.
    if (fault === null || fault.isBefore || this.#outlook.isScanned(slot)) return;
    this.#problems.problem('leader-epoch', place, {
      problem: `In leader-epoch-checkpoint ${fault.problem}`,
      remedy: 'A start does not come across it; followers and consumers may be told to truncate wrongly',
    });
  }

  #checkProducer(
    segment: OpenSegment,
    batch: BatchSummary,
    { marker, place }: { marker: EndTransactionMarker | null; place: PlaceInLog },
  ): void {
    const { problem, aborted } = this.#producers.visit(batch, marker);
    if (marker?.isAbort === true) segment.indexes.visitAbort(batch.baseOffset, batch.producerId, aborted);
    if (problem !== null)
      this.#problems.problem('sequence', place, {
        problem,
        remedy: 'Records of this producer are missing before this batch, or are there twice',
      });
  }

  #skip(segment: OpenSegment, { position, end, reason }: UnreadableBytes): boolean {
    const { slot, files, indexes } = segment;
    segment.isWhole = false;
    if (this.#ending !== null) return true;
    const offset = this.#order.next;
    this.#order.skip();
    this.#break({
      slot,
      position,
      offset,
      isSeenInHeaders: position >= indexes.lastPosition,
      place: { file: files.log, position, offset },
      problem: `No batch can be read from here to ${end === null ? 'the end of the file' : `position ${end}`}: ${reason}`,
    });
    return true;
  }

  /** Tells of what a reader cannot get over, at once or, where it may end the log, when what stands behind it is known. */
  #break(found: FoundBreak): void {
    if (this.#verdictOn(found, false).isCut) this.#ending = { ...found, hasIntactBehind: false };
    else this.#tell(found, false);
  }

  #tell(found: FoundBreak, hasIntactBehind: boolean): void {
    const { isCut, isHarmless, remedy } = this.#verdictOn(found, hasIntactBehind);
    const kind = isCut ? 'tail' : 'batch';
    const text = { problem: found.problem, remedy };
    if (isHarmless) this.#problems.remark(kind, found.place, text);
    else this.#problems.problem(kind, found.place, text);
    if (isCut) this.#cutOffset = found.offset;
    else this.#isEndUnknown = true;
  }

  #verdictOn({ slot, position, offset, isSeenInHeaders }: FoundBreak, hasIntactBehind: boolean): Verdict {
    const { segments } = this.#files;
    const restBytes = segments.slice(slot).reduce((sum, { sizeInBytes }) => sum + sizeInBytes, -position);
    return this.#outlook.verdict({ slot, offset, restBytes, isSeenInHeaders, hasIntactBehind });
  }

  #hasBatchesFrom(slot: number): boolean {
    return this.#files.segments.slice(slot).some(({ sizeInBytes }) => sizeInBytes > 0);
  }

  #end(): void {
    const isCut = this.#cutOffset !== null;
    const isEndKnown = !isCut && !this.#isEndUnknown;
    if (isEndKnown) this.#snapshots.end(this.#order.next, this.#producers);
    checkLogEnd(this.#problems, {
      files: this.#files,
      known: this.#options.known,
      endOffset: this.#endOffset,
      isEndKnown,
      order: this.#order,
      openTransactions: isEndKnown ? this.#producers.openTransactions() : [],
    });
  }
}

/** Something that a reader cannot get over. */
interface FoundBreak {
  readonly slot: number;
  readonly position: number;
  /** Offset that should have come there. */
  readonly offset: number;
  readonly isSeenInHeaders: boolean;
  readonly place: PlaceInLog;
  readonly problem: string;
}

interface PlaceInLog {
  readonly file: string;
  readonly position: number;
  readonly offset: number;
}

/** A marker that cannot be read is told of with the records of its batch. */
function markerOf(buffer: Buffer, batch: BatchSummary): EndTransactionMarker | null {
  try {
    return readTransactionMarker(buffer, batch);
  } catch {
    return null;
  }
}
