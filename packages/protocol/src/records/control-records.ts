import { decodeMessage, encodeMessage } from '../codec/codec.ts';
import { endTxnMarker, type EndTxnMarker } from '../messages/records/control-records.ts';
import { ProtocolError } from '../protocol-error.ts';
import { encodeBatch, type BatchInput } from './encode-batch.ts';

/** Types of control records: the second int16 of their key; the first is the version of the key. */
export const ControlRecordType = {
  abort: 0,
  commit: 1,
  leaderChange: 2,
  snapshotHeader: 3,
  snapshotFooter: 4,
  kraftVersion: 5,
  kraftVoters: 6,
} as const;

/** The key of a control record. */
export function controlRecordKey(type: number): Buffer {
  const key = Buffer.alloc(4);
  key.writeInt16BE(type, 2);
  return key;
}

/**
 * The type in a control record's key; types that are not known are for the reader to skip.
 * @throws ProtocolError when the key is too short or its version negative
 */
export function controlRecordType(key: Buffer | null): number {
  if (key === null || key.length < 4 || key.readInt16BE(0) < 0) {
    throw new ProtocolError('Control record: Key is malformed at byte 0', 0);
  }
  return key.readInt16BE(2);
}

/** What ends a transaction in a partition. */
export interface TransactionMarker {
  readonly type: 'commit' | 'abort';
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly coordinatorEpoch: number;
  readonly timestampMs: number;
}

/** Encodes the control batch of a transaction marker. */
export function encodeTransactionMarker(
  marker: TransactionMarker,
  place: Pick<BatchInput, 'baseOffset' | 'partitionLeaderEpoch'> = {},
): Buffer {
  const { coordinatorEpoch } = marker;
  return encodeBatch({
    ...place,
    producerId: marker.producerId,
    producerEpoch: marker.producerEpoch,
    isTransactional: true,
    isControl: true,
    records: [
      {
        timestamp: marker.timestampMs,
        key: controlRecordKey(ControlRecordType[marker.type]),
        value: Buffer.concat([Buffer.alloc(2), encodeMessage(endTxnMarker, 0, { coordinatorEpoch })]),
      },
    ],
  });
}

/** The value of a commit or abort marker, a version and a message. @throws ProtocolError when it is malformed */
export function decodeEndTxnMarker(value: Buffer | null): EndTxnMarker {
  if (value === null || value.length < 2) {
    throw new ProtocolError('EndTxnMarker: Message ends too early at byte 0', 0);
  }
  // Later versions only add to the end; this one is what we know.
  return decodeMessage(endTxnMarker, 0, value.subarray(0, 6), 2);
}
