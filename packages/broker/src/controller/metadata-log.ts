import type { Disk, DiskFile } from '@ottla/platform';
import { ControlRecordType, ErrorCodes } from '@ottla/protocol';
import {
  formatQuorumState,
  LogError,
  parseQuorumState,
  parseSegmentName,
  parseSnapshotName,
  segmentName,
  snapshotName,
  type SnapshotId,
} from '@ottla/storage';
import { decodeMetadataRecord, encodeMetadataRecord } from '../metadata/records.ts';
import type { MetadataRecord } from '../metadata/records.ts';
import {
  encodeMetadataBatch,
  isDynamicQuorum,
  leaderChange,
  MetadataBatchReader,
  snapshotFooter,
  snapshotHeader,
  votersOf,
} from './metadata-batches.ts';
import type { BatchContent, BatchContext, ControlRecord, MetadataBatch, Voter } from './metadata-batches.ts';

export interface MetadataLogOptions {
  readonly disk: Disk;
  /** The folder `__cluster_metadata-0`. */
  readonly folder: string;
  /** `metadata.log.segment.bytes`. */
  readonly segmentBytes: number;
  /** Control records with the voters of a new log; absent: they stand in the properties (`controller.quorum.voters`). */
  readonly firstVoters?: readonly ControlRecord[];
}

/** The metadata log cannot be read. The message names the file and what to do. */
export class MetadataLogError extends Error {
  override readonly name = 'MetadataLogError';
}

interface Segment {
  readonly baseOffset: number;
  sizeInBytes: number;
}

/** Receives the log at start: first the newest snapshot's records, then those behind it. */
export interface MetadataReplay {
  /** A record of the snapshot; all of them stand for everything below `endOffset`. */
  onSnapshotRecord(record: MetadataRecord, snapshot: SnapshotId): void;
  onRecord(record: MetadataRecord, offset: number): void;
  onControlBatch(lastOffset: number): void;
}

/**
 * The controller's log in KRaft's layout, so that a real Kafka and its tools read it:
 *
 * ```
 * __cluster_metadata-0/
 *   00000000000000000000.log                      batches of metadata records; the active segment is the last
 *   00000000000000004711-0000000003.checkpoint    snapshot: the records that amount to everything below 4711
 *   leader-epoch-checkpoint                       epoch -> first offset
 *   quorum-state                                  newest epoch, durable before its first batch
 *   partition.metadata
 * ```
 *
 * A batch is the unit of atomicity. Only one batch is ever written ahead of an fdatasync, so after a crash at most the
 * last one may be torn; that one was never answered and is cut off. Damage anywhere else is reported, never skipped.
 * Indexes are left out: Kafka builds them when it opens the directory.
 */
export class MetadataLog {
  readonly #options: MetadataLogOptions;
  readonly #segments: Segment[] = [];
  #snapshots: SnapshotId[] = [];
  #active: DiskFile | null = null;
  #endOffset = 0;
  #epochs: (readonly [epoch: number, startOffset: number])[] = [];
  #quorum: { leaderEpoch: number; dataVersion: 0 | 1 } = { leaderEpoch: 0, dataVersion: 0 };
  #voters: readonly ControlRecord[] = [];
  #bytesSinceSnapshot = 0;
  #lastTimestampMs = 0;
  #lastOffsetSeen = -1;

  private constructor(options: MetadataLogOptions) {
    this.#options = options;
  }

  /**
   * Opens or creates the log and hands every committed record to `replay`. Throws {@link MetadataLogError}.
   */
  static open(options: MetadataLogOptions, replay: MetadataReplay): MetadataLog {
    const log = new MetadataLog(options);
    const { disk, folder } = options;
    if (!disk.existsSync(folder)) {
      disk.mkdirSync(folder);
      disk.syncFolderSync(folder.slice(0, folder.lastIndexOf('/')) || '/');
    }
    log.#load(replay);
    return log;
  }

  /** Offset that the next record will get. */
  get endOffset(): number {
    return this.#endOffset;
  }

  /** Whether no epoch was ever begun here: the directory is being formatted. */
  get isNew(): boolean {
    return this.#quorum.leaderEpoch === 0;
  }

  get epoch(): number {
    return this.#quorum.leaderEpoch;
  }

  /** The voters that the log names; none when the quorum is static. */
  get voters(): readonly Voter[] {
    return votersOf(this.#voters);
  }

  /** Log bytes that a restart would read behind the newest snapshot. */
  get bytesSinceSnapshot(): number {
    return this.#bytesSinceSnapshot;
  }

  /** Starts the next epoch with this node as leader, durably: quorum state first, then its LeaderChange record. */
  beginEpoch(leaderId: number, nowMs: number): void {
    const { disk } = this.#options;
    const leaderEpoch = this.#quorum.leaderEpoch + 1;
    this.#quorum = { ...this.#quorum, leaderEpoch };
    disk.replaceFileSync(this.#path('quorum-state'), formatQuorumState({ leaderId, ...this.#quorum }));
    if (!disk.existsSync(this.#path('partition.metadata'))) {
      disk.replaceFileSync(this.#path('partition.metadata'), 'version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ');
    }
    this.#epochs.push([leaderEpoch, this.#endOffset]);
    this.#writeEpochs();
    this.#write(encodeMetadataBatch(this.#context(nowMs), { control: [leaderChange(leaderId)] }), 1);
    this.#active?.datasyncSync();
  }

  /**
   * Appends the records as one batch to the page cache; `sync` makes it durable. Must not be called again before that.
   * Returns the offset of the first record. Throws a LogError when the disk refused the write and nothing is left of it;
   * after any other error the log must not be used any more.
   */
  append(records: readonly MetadataRecord[], nowMs: number): number {
    const baseOffset = this.#endOffset;
    const active = this.#segments.at(-1);
    if (active !== undefined && active.sizeInBytes >= this.#options.segmentBytes) this.#roll();
    this.#write(
      encodeMetadataBatch(this.#context(nowMs), { values: records.map(encodeMetadataRecord) }),
      records.length,
    );
    return baseOffset;
  }

  /** Writes the voters of a dynamic quorum into the log, durably, and its state in the newer format (KIP-853). */
  appendVoters(control: readonly ControlRecord[], nowMs: number): void {
    this.#write(encodeMetadataBatch(this.#context(nowMs), { control }), control.length);
    this.#active?.datasyncSync();
    this.#voters = control;
    this.#quorum = { ...this.#quorum, dataVersion: 1 };
  }

  /** Makes everything appended durable. */
  async sync(): Promise<void> {
    await this.#active?.datasync();
  }

  /** The same on the event loop, for start and shutdown. */
  syncSync(): void {
    this.#active?.datasyncSync();
  }

  /**
   * Writes a snapshot of everything below the end offset and removes what it makes superfluous. `records` must stand for
   * exactly the records appended so far, all of them durable. The one snapshot before it stays, with the log behind it.
   */
  async writeSnapshot(records: Iterable<MetadataRecord>): Promise<void> {
    const id: SnapshotId = { endOffset: this.#endOffset, epoch: this.#epochs.at(-1)?.[0] ?? 0 };
    this.#roll();
    this.#bytesSinceSnapshot = 0;
    const content = snapshotContent(records, {
      id,
      voters: this.#voters,
      timestampMs: this.#lastTimestampMs,
    });
    await this.#options.disk.replaceFile(this.#path(snapshotName(id)), content);
    const previous = this.#snapshots.at(-1);
    this.#snapshots.push(id);
    if (previous !== undefined) this.#removeBefore(previous.endOffset);
  }

  close(): void {
    this.#active?.closeSync();
    this.#active = null;
  }

  #path(name: string): string {
    return `${this.#options.folder}/${name}`;
  }

  #context(timestampMs: number): BatchContext {
    this.#lastTimestampMs = timestampMs;
    return { baseOffset: this.#endOffset, epoch: this.#quorum.leaderEpoch, timestampMs };
  }

  #write(batch: Buffer, recordCount: number): void {
    const segment = this.#segments.at(-1);
    if (segment === undefined || this.#active === null)
      throw new MetadataLogError('The metadata log is closed');
    this.#writeOrUndo(this.#active, batch, segment.sizeInBytes);
    segment.sizeInBytes += batch.length;
    this.#bytesSinceSnapshot += batch.length;
    this.#endOffset += recordCount;
  }

  /** A full disk takes part of a batch: what it took is cut off, and the log is as it was before. */
  #writeOrUndo(file: DiskFile, batch: Buffer, position: number): void {
    try {
      file.writeSync([batch], position);
    } catch (error) {
      file.truncateSync(position);
      const reason = error instanceof Error ? error.message : String(error);
      throw new LogError(ErrorCodes.KAFKA_STORAGE_ERROR, `The metadata log refused a write: ${reason}`, {
        cause: error,
      });
    }
  }

  #roll(): void {
    if (this.#segments.at(-1)?.sizeInBytes === 0) return;
    const full = this.#active;
    // The old segment must be durable before the new one gets records, or recovery could find a gap.
    full?.datasyncSync();
    this.#openActive({ baseOffset: this.#endOffset, sizeInBytes: 0 });
    full?.closeSync();
  }

  /** Nothing changes when the disk refuses. */
  #openActive(segment: Segment): void {
    const { disk, folder } = this.#options;
    const path = this.#path(segmentName(segment.baseOffset));
    const existed = disk.existsSync(path);
    const file = disk.openSync(path, 'append');
    if (!existed) disk.syncFolderSync(folder);
    this.#active = file;
    if (this.#segments.at(-1) !== segment) this.#segments.push(segment);
  }

  #writeEpochs(): void {
    const lines = this.#epochs.map(([epoch, startOffset]) => `${epoch} ${startOffset}\n`);
    this.#options.disk.replaceFileSync(
      this.#path('leader-epoch-checkpoint'),
      `0\n${lines.length}\n${lines.join('')}`,
    );
  }

  #removeBefore(offset: number): void {
    const { disk } = this.#options;
    while (this.#segments.length > 1 && (this.#segments[1] as Segment).baseOffset <= offset) {
      const name = segmentName((this.#segments.shift() as Segment).baseOffset).replace('.log', '');
      for (const suffix of ['.log', '.index', '.timeindex', '.snapshot', '.txnindex'])
        disk.unlinkSync(this.#path(name + suffix));
    }
    for (const snapshot of this.#snapshots.filter((each) => each.endOffset < offset)) {
      disk.unlinkSync(this.#path(snapshotName(snapshot)));
    }
    this.#snapshots = this.#snapshots.filter((each) => each.endOffset >= offset);
  }

  #load(replay: MetadataReplay): void {
    const { disk, folder } = this.#options;
    const names = disk.listSync(folder);
    for (const name of names) {
      const baseOffset = parseSegmentName(name);
      if (baseOffset !== null)
        this.#segments.push({ baseOffset, sizeInBytes: disk.sizeSync(this.#path(name)) });
      const snapshot = parseSnapshotName(name);
      if (snapshot !== null) this.#snapshots.push(snapshot);
    }
    if (names.includes('quorum-state')) {
      const path = this.#path('quorum-state');
      const { leaderEpoch, dataVersion } = parseQuorumState(disk.readFileSync(path).toString(), path);
      this.#quorum = { leaderEpoch, dataVersion };
    } else if (this.#options.firstVoters !== undefined && names.length === 0) {
      this.#writeFirstVoters(this.#options.firstVoters);
    }
    const snapshot = this.#snapshots.at(-1);
    if (snapshot !== undefined) this.#loadSnapshot(snapshot, replay);
    this.#loadSegments(snapshot?.endOffset ?? 0, replay);
    const lastEpoch = this.#epochs.at(-1)?.[0] ?? 0;
    if (lastEpoch > this.#quorum.leaderEpoch) this.#quorum = { ...this.#quorum, leaderEpoch: lastEpoch };
  }

  /** What `kafka-storage format --standalone` writes: the voters as a snapshot of nothing. */
  #writeFirstVoters(voters: readonly ControlRecord[]): void {
    const id: SnapshotId = { endOffset: 0, epoch: 0 };
    const content = snapshotContent([], { id, voters, timestampMs: 0 });
    this.#options.disk.replaceFileSync(this.#path(snapshotName(id)), content);
    this.#snapshots.push(id);
  }

  #loadSnapshot(id: SnapshotId, replay: MetadataReplay): void {
    const name = snapshotName(id);
    const reader = new MetadataBatchReader(this.#options.disk.readFileSync(this.#path(name)));
    if (id.epoch > 0) this.#epochs.push([id.epoch, Math.max(0, id.endOffset - 1)]);
    let complete = false;
    for (let batch = reader.next(); batch !== null; batch = reader.next()) {
      for (const value of batch.values) replay.onSnapshotRecord(decodeMetadataRecord(value), id);
      this.#noteControl(batch);
      complete ||= batch.control.some((control) => control.type === ControlRecordType.snapshotFooter);
    }
    if (reader.problem !== null || !complete) {
      throw new MetadataLogError(
        `Metadata snapshot "${this.#path(name)}" is damaged at position ${reader.position}. ` +
          'Restore it from a copy, or remove it if an older snapshot and the whole log behind it are there',
      );
    }
  }

  #noteControl(batch: MetadataBatch): void {
    const voters = batch.control.filter(
      ({ type }) => type === ControlRecordType.kraftVersion || type === ControlRecordType.kraftVoters,
    );
    if (voters.length > 0) this.#voters = voters;
    // A quorum whose voters stand in the log (KIP-853) keeps its quorum state in the newer format.
    if (voters.some(isDynamicQuorum)) this.#quorum = { ...this.#quorum, dataVersion: 1 };
  }

  #loadSegments(fromOffset: number, replay: MetadataReplay): void {
    this.#endOffset = fromOffset;
    const first = this.#segments[0];
    if (first !== undefined && first.baseOffset > fromOffset) {
      throw new MetadataLogError(
        `Metadata log "${this.#options.folder}" begins at offset ${first.baseOffset}, but records from ${fromOffset} on ` +
          'are missing. Restore the folder from a copy',
      );
    }
    for (const [index, segment] of this.#segments.entries()) {
      const next = this.#segments[index + 1];
      if (next !== undefined && next.baseOffset <= fromOffset) continue;
      this.#loadSegment(segment, { isLast: next === undefined, fromOffset, replay });
    }
    // A log that ends below its snapshot has nothing to add to it; writing goes on behind the snapshot.
    const last = this.#segments.at(-1);
    const stale =
      last !== undefined &&
      last.sizeInBytes > 0 &&
      this.#endOffset === fromOffset &&
      this.#lastOffsetSeen < fromOffset - 1;
    this.#openActive(last === undefined || stale ? { baseOffset: fromOffset, sizeInBytes: 0 } : last);
  }

  #loadSegment(
    segment: Segment,
    about: { isLast: boolean; fromOffset: number; replay: MetadataReplay },
  ): void {
    const path = this.#path(segmentName(segment.baseOffset));
    const content = this.#options.disk.readFileSync(path);
    const reader = new MetadataBatchReader(content);
    let lastBatchBytes = 0;
    for (let batch = reader.next(); batch !== null; batch = reader.next()) {
      lastBatchBytes = batch.sizeInBytes;
      if (this.#epochs.at(-1)?.[0] !== batch.epoch) this.#epochs.push([batch.epoch, batch.baseOffset]);
      this.#noteControl(batch);
      this.#lastOffsetSeen = batch.lastOffset;
      if (batch.lastOffset < about.fromOffset) continue;
      this.#bytesSinceSnapshot += batch.sizeInBytes;
      for (const [index, value] of batch.values.entries()) {
        const offset = batch.baseOffset + index;
        if (offset >= about.fromOffset) about.replay.onRecord(decodeMetadataRecord(value), offset);
      }
      if (batch.control.length > 0) about.replay.onControlBatch(batch.lastOffset);
      this.#endOffset = batch.lastOffset + 1;
    }
    if (reader.problem !== null) {
      if (!about.isLast || reader.hasValidBatchBehind()) {
        throw new MetadataLogError(
          `Metadata log "${path}" is damaged at position ${reader.position} (offset ${this.#endOffset}): ${reader.problem}. ` +
            'Records behind it are intact, so nothing is cut off; restore the file from a copy',
        );
      }
      this.#truncate(segment, reader.position);
    }
    if (about.isLast) this.#writeAgain(path, content.subarray(0, reader.position), lastBatchBytes);
  }

  /**
   * The last batch may be in the page cache only: after a failed sync its pages count as clean, and no later sync would bring
   * them to the disk. What comes behind it must not be durable without it.
   */
  #writeAgain(path: string, content: Buffer, lastBatchBytes: number): void {
    if (lastBatchBytes === 0) return;
    const position = content.length - lastBatchBytes;
    const file = this.#options.disk.openSync(path, 'append');
    try {
      file.writeSync([content.subarray(position)], position);
      file.datasyncSync();
    } finally {
      file.closeSync();
    }
  }

  /** Cuts off a torn batch. Indexes that Kafka left may point behind the end; it rebuilds them when they are missing. */
  #truncate(segment: Segment, position: number): void {
    const { disk } = this.#options;
    const path = this.#path(segmentName(segment.baseOffset));
    const file = disk.openSync(path, 'append');
    file.truncateSync(position);
    file.datasyncSync();
    file.closeSync();
    segment.sizeInBytes = position;
    for (const suffix of ['.index', '.timeindex']) disk.unlinkSync(path.replace(/\.log$/, suffix));
  }
}

/** Records per batch of a snapshot: some 100 KB. */
const SNAPSHOT_BATCH_RECORDS = 2_000;

function snapshotContent(
  records: Iterable<MetadataRecord>,
  about: { id: SnapshotId; voters: readonly ControlRecord[]; timestampMs: number },
): Buffer {
  const { id, timestampMs } = about;
  const parts: Buffer[] = [];
  let baseOffset = 0;
  const add = (content: BatchContent, count: number): void => {
    parts.push(encodeMetadataBatch({ baseOffset, epoch: id.epoch, timestampMs }, content));
    baseOffset += count;
  };
  add({ control: [snapshotHeader(timestampMs), ...about.voters] }, 1 + about.voters.length);
  let values: Buffer[] = [];
  for (const record of records) {
    values.push(encodeMetadataRecord(record));
    if (values.length < SNAPSHOT_BATCH_RECORDS) continue;
    add({ values }, values.length);
    values = [];
  }
  if (values.length > 0) add({ values }, values.length);
  add({ control: [snapshotFooter()] }, 1);
  return Buffer.concat(parts);
}
