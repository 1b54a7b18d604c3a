import { BATCH_OVERHEAD_BYTES, BatchLayout, batchSizeAt } from '@ottla/protocol';

/** What the headers of a run of batches say. */
export interface BatchScan {
  /** One after the last offset of the last whole batch; -1 when there is none. */
  readonly endOffset: number;
  /** Leader epoch of the last whole batch. */
  readonly leaderEpoch: number;
  /** Bytes up to the end of the last whole batch; a broker may cut the one behind it short. */
  readonly wholeBytes: number;
  /** A size that no batch can have: reading stops here. */
  readonly isBroken: boolean;
}

/** Goes over the headers only, so that the next fetch can begin before anything is opened. */
export function scanBatches(records: Buffer): BatchScan {
  let position = 0;
  let last = -1;
  let isBroken = false;
  while (records.length - position >= BATCH_OVERHEAD_BYTES) {
    const size = batchSizeAt(records, position);
    if (size < 0) {
      isBroken = true;
      break;
    }
    if (position + size > records.length) break;
    last = position;
    position += size;
  }
  if (last < 0) return { endOffset: -1, leaderEpoch: -1, wholeBytes: 0, isBroken };
  const baseOffset = Number(records.readBigInt64BE(last + BatchLayout.baseOffset));
  return {
    endOffset: baseOffset + records.readInt32BE(last + BatchLayout.lastOffsetDelta) + 1,
    leaderEpoch: records.readInt32BE(last + BatchLayout.partitionLeaderEpoch),
    wholeBytes: position,
    isBroken,
  };
}
