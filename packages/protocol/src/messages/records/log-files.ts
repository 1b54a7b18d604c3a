import { array, int16, int32, int64, uint32 } from '../../schema/field.ts';
import { data, type Infer } from '../../schema/message-schema.ts';

export const abortedTxn = data('AbortedTxn', { versions: '0', flexible: 'none' }, () => ({
  producerId: int64('0+'),
  firstOffset: int64('0+'),
  lastOffset: int64('0+'),
  lastStableOffset: int64('0+'),
}));
export type AbortedTxn = Infer<typeof abortedTxn>;

export const producerSnapshot = data('ProducerSnapshot', { versions: '1', flexible: 'none' }, () => ({
  crc: uint32('1'),
  producerEntries: array('1', {
    producerId: int64('1'),
    epoch: int16('1'),
    lastSequence: int32('1'),
    lastOffset: int64('1'),
    offsetDelta: int32('1'),
    timestamp: int64('1'),
    coordinatorEpoch: int32('1'),
    currentTxnFirstOffset: int64('1'),
  }),
}));
export type ProducerSnapshot = Infer<typeof producerSnapshot>;
