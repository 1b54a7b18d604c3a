import { array, bool, int16, int32, int64, int8, records, string, struct, uuid } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const shareFetchRequest = request(
  'ShareFetchRequest',
  { apiKey: 78, versions: '1-2', flexible: '0+', listeners: ['broker'] },
  () => ({
    groupId: string('0+', { nullable: '0+', default: null, entity: 'groupId' }),
    memberId: string('0+', { nullable: '0+' }),
    shareSessionEpoch: int32('0+'),
    maxWaitMs: int32('0+'),
    minBytes: int32('0+'),
    maxBytes: int32('0+', { default: 2147483647 }),
    maxRecords: int32('1+'),
    batchSize: int32('1+'),
    shareAcquireMode: int8('2+', { ignorable: true }),
    isRenewAck: bool('2+'),
    topics: array('0+', {
      topicId: uuid('0+', { mapKey: true }),
      partitions: array('0+', {
        partitionIndex: int32('0+', { mapKey: true }),
        partitionMaxBytes: int32('0'),
        acknowledgementBatches: array('0+', {
          firstOffset: int64('0+'),
          lastOffset: int64('0+'),
          acknowledgeTypes: array('0+', 'int8'),
        }),
      }),
    }),
    forgottenTopicsData: array('0+', {
      topicId: uuid('0+'),
      partitions: array('0+', 'int32'),
    }),
  }),
);
export type ShareFetchRequest = Infer<typeof shareFetchRequest>;

export const shareFetchResponse = response(
  'ShareFetchResponse',
  { apiKey: 78, versions: '1-2', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+', default: null }),
    acquisitionLockTimeoutMs: int32('1+'),
    responses: array('0+', {
      topicId: uuid('0+', { mapKey: true }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+', default: null }),
        acknowledgeErrorCode: int16('0+'),
        acknowledgeErrorMessage: string('0+', { nullable: '0+', default: null }),
        currentLeader: struct('0+', {
          leaderId: int32('0+'),
          leaderEpoch: int32('0+'),
        }),
        records: records('0+', { nullable: '0' }),
        acquiredRecords: array('0+', {
          firstOffset: int64('0+'),
          lastOffset: int64('0+'),
          deliveryCount: int16('0+'),
        }),
      }),
    }),
    nodeEndpoints: array('0+', {
      nodeId: int32('0+', { mapKey: true, entity: 'brokerId' }),
      host: string('0+'),
      port: int32('0+'),
      rack: string('0+', { nullable: '0+', default: null }),
    }),
  }),
);
export type ShareFetchResponse = Infer<typeof shareFetchResponse>;
