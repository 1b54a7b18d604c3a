import {
  ControlRecordType,
  controlRecordType,
  deleteHorizonMs,
  emptiedBatch,
  encodeBatch,
  openRecords,
  type BatchSummary,
  type RecordInput,
  type RecordReader,
} from '@ottla/protocol';
import type { LastBatch } from '../log/cleanable-log.ts';
import type { CleanedTransactions } from './cleaned-transactions.ts';
import type { OffsetMap } from './offset-map.ts';

/** What decides which records of a log stay. */
export interface RetentionRules {
  /** The newest offset of each key up to `offsets.latestOffset`. */
  readonly offsets: OffsetMap;
  readonly transactions: CleanedTransactions;
  /** The producers that still count, by id. */
  readonly producers: ReadonlyMap<number, LastBatch>;
  readonly nowMs: number;
  /** `delete.retention.ms`. */
  readonly deleteRetentionMs: number;
}

/** A batch of more is not decompressed: no broker accepts one. */
export const MAX_DECOMPRESSED_BYTES = 256 * 1024 * 1024;

/**
 * What stays of a batch, by Kafka's rules: the batch as it is, one with fewer records, one without any, or null for
 * nothing. `isLastOfSegment` keeps the emptied batch at least: a segment then says by itself which offsets it covers.
 */
export function filterBatch(
  buffer: Buffer,
  batch: BatchSummary,
  options: { rules: RetentionRules; isLastOfSegment: boolean },
): Buffer | null {
  const { rules } = options;
  const horizonMs = deleteHorizonMs(batch);
  const isPastHorizon = horizonMs !== null && horizonMs <= rules.nowMs;
  const reader = openRecords(buffer, batch, { maxDecompressedBytes: MAX_DECOMPRESSED_BYTES });
  const endsEmpty = batch.isControl && rules.transactions.endsEmpty(batch, movesToAbortMarker(reader, batch));
  const goes = batch.isControl ? endsEmpty && isPastHorizon : rules.transactions.isAborted(batch);
  const kept = goes ? NOTHING : keptRecords(reader, batch, { ...rules, isPastHorizon });
  if (kept.records.length === 0) {
    return options.isLastOfSegment || isNeededByProducer(batch, rules) ? emptiedBatch(buffer, batch) : null;
  }
  const needsHorizon = (kept.hasTombstones || endsEmpty) && horizonMs === null;
  if (kept.records.length === batch.recordCount && !needsHorizon) {
    return buffer.subarray(batch.position, batch.position + batch.sizeInBytes);
  }
  return rewritten(batch, kept.records, needsHorizon ? rules.nowMs + rules.deleteRetentionMs : horizonMs);
}

interface KeptRecords {
  readonly records: readonly RecordInput[];
  readonly hasTombstones: boolean;
}

const NOTHING: KeptRecords = { records: [], hasTombstones: false };

function keptRecords(
  reader: RecordReader,
  batch: BatchSummary,
  rules: RetentionRules & { isPastHorizon: boolean },
): KeptRecords {
  const records: RecordInput[] = [];
  let hasTombstones = false;
  // In a control batch the reader stands at the marker already.
  for (let more = batch.isControl ? batch.recordCount > 0 : reader.next(); more; more = reader.next()) {
    const offset = batch.baseOffset + reader.offsetDelta;
    if (!batch.isControl && !isKept(reader, offset, rules)) continue;
    if (!batch.isControl && reader.valueLength < 0) hasTombstones = true;
    records.push({
      offset,
      timestamp: batch.baseTimestamp + reader.timestampDelta,
      key: reader.key(),
      value: reader.value(),
      headers: reader.headers(),
    });
  }
  return { records, hasTombstones };
}

/** The newest value of each key stays, a tombstone until its horizon; what has no key is no part of a compacted topic. */
function isKept(
  reader: RecordReader,
  offset: number,
  rules: RetentionRules & { isPastHorizon: boolean },
): boolean {
  if (offset > rules.offsets.latestOffset) return true;
  const key = reader.key();
  if (key === null || offset < rules.offsets.get(key)) return false;
  return reader.valueLength >= 0 || !rules.isPastHorizon;
}

/** Moves the reader to the marker of a control batch. An emptied control batch ends nothing that is still there. */
export function movesToAbortMarker(reader: RecordReader, batch: BatchSummary): boolean {
  return (
    batch.recordCount > 0 && reader.next() && controlRecordType(reader.key()) === ControlRecordType.abort
  );
}

function isNeededByProducer(batch: BatchSummary, { producers }: RetentionRules): boolean {
  const last = producers.get(batch.producerId);
  if (last === undefined) return false;
  if (last.lastDataOffset >= 0) return batch.lastOffset === last.lastDataOffset;
  return batch.isControl && batch.producerEpoch === last.producerEpoch;
}

/** The batch with fewer records: where it begins and ends, and everything about its producer, stays. */
function rewritten(batch: BatchSummary, records: readonly RecordInput[], horizonMs: number | null): Buffer {
  return encodeBatch({
    records,
    baseOffset: batch.baseOffset,
    lastOffset: batch.lastOffset,
    partitionLeaderEpoch: batch.partitionLeaderEpoch,
    compression: batch.compression,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    isTransactional: batch.isTransactional,
    isControl: batch.isControl,
    ...(batch.timestampType === 'LogAppendTime' && { logAppendTimeMs: batch.maxTimestamp }),
    ...(horizonMs !== null && { deleteHorizonMs: horizonMs }),
  });
}
