import { array, int16, int32, int64, int8, string } from '../../schema/field.ts';
import { coordinatorKey, coordinatorValue, type Infer } from '../../schema/message-schema.ts';

export const transactionLogKey = coordinatorKey(
  'TransactionLogKey',
  { apiKey: 0, versions: '0', flexible: 'none' },
  () => ({
    transactionalId: string('0'),
  }),
);
export type TransactionLogKey = Infer<typeof transactionLogKey>;

export const transactionLogValue = coordinatorValue(
  'TransactionLogValue',
  { apiKey: 0, versions: '0-1', flexible: '1+' },
  () => ({
    producerId: int64('0+'),
    previousProducerId: int64('1+', { default: -1, tag: 0, tagged: '1+' }),
    nextProducerId: int64('1+', { default: -1, tag: 1, tagged: '1+' }),
    producerEpoch: int16('0+'),
    nextProducerEpoch: int16('1+', { default: -1, tag: 3, tagged: '1+' }),
    transactionTimeoutMs: int32('0+'),
    transactionStatus: int8('0+'),
    transactionPartitions: array(
      '0+',
      {
        topic: string('0+'),
        partitionIds: array('0+', 'int32'),
      },
      { nullable: '0+' },
    ),
    transactionLastUpdateTimestampMs: int64('0+'),
    transactionStartTimestampMs: int64('0+'),
    clientTransactionVersion: int16('1+', { tag: 2, tagged: '1+' }),
  }),
);
export type TransactionLogValue = Infer<typeof transactionLogValue>;
