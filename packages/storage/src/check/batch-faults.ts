import {
  controlRecordType,
  openRecords,
  readRecordHeaders,
  type BatchSummary,
  type RecordReader,
} from '@ottla/protocol';

/** What is wrong with a batch whose CRC is right. */
export interface BatchFault {
  readonly problem: string;
  /** Readers stop there or get wrong answers; without it the batch is only not as Kafka writes it. */
  readonly isHarmful: boolean;
}

/** Checks what the header of a whole batch says about itself; null when it agrees. */
export function headerFault(batch: BatchSummary): BatchFault | null {
  const offsetCount = batch.lastOffset - batch.baseOffset + 1;
  // Compaction takes records away and leaves the offsets: there may be fewer, down to none.
  if (batch.recordCount < 0 || batch.recordCount > offsetCount)
    return harmful(`it counts ${batch.recordCount} records for ${offsetCount} offsets`);
  if (batch.producerId >= 0 && batch.producerEpoch < 0)
    return harmful(`producer ${batch.producerId} has the epoch ${batch.producerEpoch}`);
  return null;
}

/**
 * Reads every record of a batch, decompressed if need be, and compares it with the header: count, offsets, times, keys of
 * control records. Null when they agree.
 */
export function recordsFault(buffer: Buffer, batch: BatchSummary): BatchFault | null {
  try {
    return compareRecords(openRecords(buffer, batch), batch);
  } catch (error) {
    return harmful(`its records cannot be read: ${(error as Error).message}`);
  }
}

function compareRecords(reader: RecordReader, batch: BatchSummary): BatchFault | null {
  const lastDelta = batch.lastOffset - batch.baseOffset;
  let previousDelta = -1;
  let maxTimestamp = -Infinity;
  while (reader.next()) {
    const { offsetDelta, timestampDelta, headerCount } = reader;
    if (offsetDelta <= previousDelta || offsetDelta > lastDelta) {
      const place = `${batch.baseOffset + offsetDelta}, behind ${batch.baseOffset + previousDelta}`;
      return harmful(`a record has offset ${place}, in a batch that ends with ${batch.lastOffset}`);
    }
    previousDelta = offsetDelta;
    if (timestampDelta > maxTimestamp) maxTimestamp = timestampDelta;
    if (headerCount > 0)
      readRecordHeaders(reader.bytes, reader.headersStart, { count: headerCount, end: reader.recordEnd });
    if (batch.isControl) controlRecordType(reader.key());
  }
  return batch.recordCount > 0 ? timestampFault(batch, batch.baseTimestamp + maxTimestamp) : null;
}

/** Time indexes and retention go by the header. */
function timestampFault(batch: BatchSummary, newest: number): BatchFault | null {
  if (batch.timestampType !== 'CreateTime' || newest === batch.maxTimestamp) return null;
  return {
    problem: `its newest record has timestamp ${newest}, its header says ${batch.maxTimestamp}`,
    isHarmful: newest > batch.maxTimestamp,
  };
}

function harmful(problem: string): BatchFault {
  return { problem, isHarmful: true };
}
