import {
  addToSequence,
  deleteHorizonMs,
  decodeRecords,
  validateBatchCrc,
  type BatchSummary,
  type DecodedRecord,
} from '@ottla/protocol';
import { offsetFromName, parseFolderName, scanSegment, type BatchVisit } from '@ottla/storage';
import { timeText, toJson } from '../terminal/print.ts';
import type { DumpContext } from './dump-options.ts';
import { openBatchFile } from './open-file.ts';
import {
  contentDecoder,
  decodeControlRecord,
  decoderOfTopic,
  type ContentDecoder,
} from './record-decoders.ts';

/** Dumps a file of batches: a segment of a log, or a snapshot of the metadata. */
export async function dumpLogFile(context: DumpContext, path: string): Promise<void> {
  const { disk, out, settings } = context;
  using file = openBatchFile(disk, path);
  const name = path.slice(path.lastIndexOf('/') + 1);
  await out.section(`${path}\nLog starting offset: ${offsetFromName(name) ?? 'unknown'}`);
  const decode = contentDecoder(settings.decoder ?? decoderOfTopic(topicOf(path)));
  let validBytes = 0;
  const bad = await scanSegment(file, {
    position: 0,
    size: file.sizeBytes,
    checkCrc: false,
    onChunk: async (bytes) => context.onBytes(bytes),
    visit: async (found) => {
      if (found.filePosition >= settings.maxBytes) return false;
      await dumpBatch({ ...context, path, decode }, found);
      validBytes = found.filePosition + found.batch.sizeInBytes;
      return true;
    },
  });
  if (bad === null) return;
  const rest = file.sizeBytes - validBytes;
  context.onProblem(path, `${rest} invalid bytes at position ${bad.position}: ${bad.reason}`);
}

/** The topic that a file belongs to, by its folder. */
function topicOf(path: string): string | null {
  return parseFolderName(path.split('/').at(-2) ?? '')?.topic ?? null;
}

interface BatchContext extends DumpContext {
  readonly path: string;
  readonly decode: ContentDecoder;
}

async function dumpBatch(context: BatchContext, { batch, buffer, filePosition }: BatchVisit): Promise<void> {
  const { out, path, settings } = context;
  const isValid = validateBatchCrc(buffer, batch.position);
  if (!settings.skipRecordMetadata) {
    const row = batchRow(batch, filePosition, isValid);
    await out.row({ file: path, type: 'batch', ...row }, batchCells(row));
  }
  if (!isValid) context.onProblem(path, `The batch at position ${filePosition} does not match its CRC`);
  if (!settings.deepIteration) return;
  let records: DecodedRecord[];
  try {
    records = decodeRecords(buffer, batch.position, { storedTimestamps: true });
  } catch (error) {
    return context.onProblem(path, `The batch at position ${filePosition}: ${(error as Error).message}`);
  }
  for (const record of records) await dumpRecord(context, batch, record);
}

/** The fields of a batch by the names that Kafka's tool gives them. */
function batchRow(batch: BatchSummary, position: number, isValid: boolean) {
  return {
    baseOffset: batch.baseOffset,
    lastOffset: batch.lastOffset,
    count: batch.recordCount,
    baseSequence: batch.baseSequence,
    lastSequence: batch.lastSequence,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    partitionLeaderEpoch: batch.partitionLeaderEpoch,
    isTransactional: batch.isTransactional,
    isControl: batch.isControl,
    deleteHorizonMs: deleteHorizonMs(batch),
    position,
    timestampType: batch.timestampType,
    timestamp: batch.maxTimestamp,
    size: batch.sizeInBytes,
    magic: batch.magic,
    compresscodec: batch.compression,
    crc: batch.crc,
    isValid,
  };
}

/** What fits on a screen of it. */
function batchCells(row: ReturnType<typeof batchRow>) {
  return {
    offsets: row.baseOffset === row.lastOffset ? `${row.baseOffset}` : `${row.baseOffset}..${row.lastOffset}`,
    count: row.count,
    position: row.position,
    size: row.size,
    [row.timestampType === 'LogAppendTime' ? 'appendTime' : 'createTime']: timeText(row.timestamp),
    epoch: row.partitionLeaderEpoch,
    producer: row.producerId < 0 ? null : `${row.producerId}/${row.producerEpoch}`,
    sequence: row.baseSequence < 0 ? null : `${row.baseSequence}..${row.lastSequence}`,
    codec: row.compresscodec,
    flags: [
      ...(row.isTransactional ? ['transactional'] : []),
      ...(row.isControl ? ['control'] : []),
      ...(row.deleteHorizonMs === null ? [] : ['deleteHorizon']),
    ],
    crc: row.isValid ? 'ok' : 'BAD',
  };
}

async function dumpRecord(context: BatchContext, batch: BatchSummary, record: DecodedRecord): Promise<void> {
  const { settings, out, path, decode } = context;
  if (batch.isControl && settings.skipRecordMetadata) return;
  const content = batch.isControl
    ? decodeControlRecord(record)
    : settings.printDataLog
      ? { ...decode(record) }
      : {};
  const metadata = settings.skipRecordMetadata
    ? {}
    : {
        offset: record.offset,
        [batch.timestampType]: record.timestamp,
        keySize: record.key?.length ?? -1,
        valueSize: record.value?.length ?? -1,
        sequence:
          batch.baseSequence < 0 ? -1 : addToSequence(batch.baseSequence, record.offset - batch.baseOffset),
        headerKeys: record.headers.map(({ key }) => key),
      };
  const row = { ...metadata, ...content };
  await out.row({ file: path, type: 'record', ...row }, `| ${asText(row)}`);
}

/** A record on a line, as Kafka's tool writes it. */
function asText(row: Readonly<Record<string, unknown>>): string {
  return Object.entries(row)
    .map(([name, value]) => {
      if (Array.isArray(value)) return `${name}: [${value.join(',')}]`;
      return `${name}: ${typeof value === 'string' || typeof value === 'number' ? value : toJson(value)}`;
    })
    .join(' ');
}
