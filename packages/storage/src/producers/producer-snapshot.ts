import { crc32c, decodeMessage, encodeMessage, producerSnapshot } from '@ottla/protocol';
import { decrementSequence, newProducerEntry, type ProducerEntry } from './producer-entry.ts';

const VERSION = 1;
const CRC_AT = 2;
const ENTRIES_AT = 6;

/**
 * A `.snapshot` file: the producers as they were before the offset in its name. Only the last batch of each is kept,
 * as Kafka does.
 *
 *     int16 version 1 | uint32 CRC-32C of all that follows | ProducerSnapshot entries
 */
export function encodeProducerSnapshot(entries: Iterable<ProducerEntry>): Buffer {
  const producerEntries = [];
  for (const entry of entries) {
    const last = entry.batches.at(-1);
    producerEntries.push({
      producerId: entry.producerId,
      epoch: entry.producerEpoch,
      lastSequence: last?.lastSequence ?? -1,
      lastOffset: last?.lastOffset ?? -1,
      offsetDelta: last === undefined ? 0 : last.lastOffset - last.firstOffset,
      timestamp: entry.lastTimestamp,
      coordinatorEpoch: entry.coordinatorEpoch,
      currentTxnFirstOffset: entry.currentTxnFirstOffset,
    });
  }
  const body = encodeMessage(producerSnapshot, VERSION, { crc: 0, producerEntries });
  const bytes = Buffer.allocUnsafe(CRC_AT + body.length);
  bytes.writeInt16BE(VERSION, 0);
  body.copy(bytes, CRC_AT);
  bytes.writeUInt32BE(crc32c(bytes, ENTRIES_AT, bytes.length), CRC_AT);
  return bytes;
}

/** @throws Error when the bytes are not a whole, undamaged snapshot */
export function decodeProducerSnapshot(bytes: Buffer): ProducerEntry[] {
  if (bytes.length < ENTRIES_AT) throw new Error('The snapshot is too short');
  const version = bytes.readInt16BE(0);
  if (version !== VERSION) throw new Error(`The snapshot has the unknown version "${version}"`);
  const content = decodeMessage(producerSnapshot, VERSION, bytes, CRC_AT);
  if (crc32c(bytes, ENTRIES_AT, bytes.length) !== content.crc)
    throw new Error('The snapshot does not match its CRC');
  return content.producerEntries.map((stored) => {
    const entry = newProducerEntry(stored.producerId);
    entry.producerEpoch = stored.epoch;
    entry.coordinatorEpoch = stored.coordinatorEpoch;
    entry.lastTimestamp = stored.timestamp;
    entry.currentTxnFirstOffset = stored.currentTxnFirstOffset;
    if (stored.lastOffset >= 0) {
      entry.batches.push({
        firstSequence: decrementSequence(stored.lastSequence, stored.offsetDelta),
        lastSequence: stored.lastSequence,
        firstOffset: stored.lastOffset - stored.offsetDelta,
        lastOffset: stored.lastOffset,
        timestamp: stored.timestamp,
      });
    }
    return entry;
  });
}
