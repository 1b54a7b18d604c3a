import { array, bool, int16, int32, int64, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

const addPartitionsToTxnTopic = {
  name: string('0+', { mapKey: true, entity: 'topicName' }),
  partitions: array('0+', 'int32'),
} as const;

export const addPartitionsToTxnRequest = request(
  'AddPartitionsToTxnRequest',
  { apiKey: 24, versions: '0-5', flexible: '3+', listeners: ['broker'] },
  () => ({
    transactions: array('4+', {
      transactionalId: string('4+', { mapKey: true, entity: 'transactionalId' }),
      producerId: int64('4+', { entity: 'producerId' }),
      producerEpoch: int16('4+'),
      verifyOnly: bool('4+'),
      topics: array('4+', addPartitionsToTxnTopic),
    }),
    v3AndBelowTransactionalId: string('0-3', { entity: 'transactionalId' }),
    v3AndBelowProducerId: int64('0-3', { entity: 'producerId' }),
    v3AndBelowProducerEpoch: int16('0-3'),
    v3AndBelowTopics: array('0-3', addPartitionsToTxnTopic),
  }),
);
export type AddPartitionsToTxnRequest = Infer<typeof addPartitionsToTxnRequest>;

const addPartitionsToTxnPartitionResult = {
  partitionIndex: int32('0+', { mapKey: true }),
  partitionErrorCode: int16('0+'),
} as const;

const addPartitionsToTxnTopicResult = {
  name: string('0+', { mapKey: true, entity: 'topicName' }),
  resultsByPartition: array('0+', addPartitionsToTxnPartitionResult),
} as const;

export const addPartitionsToTxnResponse = response(
  'AddPartitionsToTxnResponse',
  { apiKey: 24, versions: '0-5', flexible: '3+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('4+', { ignorable: true }),
    resultsByTransaction: array('4+', {
      transactionalId: string('4+', { mapKey: true, entity: 'transactionalId' }),
      topicResults: array('4+', addPartitionsToTxnTopicResult),
    }),
    resultsByTopicV3AndBelow: array('0-3', addPartitionsToTxnTopicResult),
  }),
);
export type AddPartitionsToTxnResponse = Infer<typeof addPartitionsToTxnResponse>;
