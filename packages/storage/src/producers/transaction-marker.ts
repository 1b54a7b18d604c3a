import { decodeRecords, type BatchSummary } from '@ottla/protocol';
import type { EndTransactionMarker } from './producer-state.ts';

const ABORT = 0;
const COMMIT = 1;

/**
 * The transaction marker in a control batch: key `int16 version | int16 type`, value `int16 version | int32 coordinator
 * epoch`. Null for every other batch, also for the control records of the metadata log.
 */
export function readTransactionMarker(buffer: Buffer, batch: BatchSummary): EndTransactionMarker | null {
  if (!batch.isControl || batch.producerId < 0) return null;
  const record = decodeRecords(buffer, batch.position, { maxDecompressedBytes: 1024 * 1024 })[0];
  if (record === undefined || record.key === null || record.key.length < 4) return null;
  const type = record.key.readInt16BE(2);
  if (type !== ABORT && type !== COMMIT) return null;
  const value = record.value;
  return {
    isAbort: type === ABORT,
    coordinatorEpoch: value === null || value.length < 6 ? -1 : value.readInt32BE(2),
  };
}
