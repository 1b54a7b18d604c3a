import { array, bool, int16, int32, int8, string, uuid } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const createTopicsRequest = request(
  'CreateTopicsRequest',
  { apiKey: 19, versions: '2-7', flexible: '5+', listeners: ['broker', 'controller'] },
  () => ({
    topics: array('0+', {
      name: string('0+', { mapKey: true, entity: 'topicName' }),
      numPartitions: int32('0+'),
      replicationFactor: int16('0+'),
      assignments: array('0+', {
        partitionIndex: int32('0+', { mapKey: true }),
        brokerIds: array('0+', 'int32', { entity: 'brokerId' }),
      }),
      configs: array('0+', {
        name: string('0+', { mapKey: true }),
        value: string('0+', { nullable: '0+' }),
      }),
    }),
    timeoutMs: int32('0+', { default: 60000 }),
    validateOnly: bool('1+'),
  }),
);
export type CreateTopicsRequest = Infer<typeof createTopicsRequest>;

export const createTopicsResponse = response(
  'CreateTopicsResponse',
  { apiKey: 19, versions: '2-7', flexible: '5+' },
  () => ({
    throttleTimeMs: int32('2+', { ignorable: true }),
    topics: array('0+', {
      name: string('0+', { mapKey: true, entity: 'topicName' }),
      topicId: uuid('7+', { ignorable: true }),
      errorCode: int16('0+'),
      errorMessage: string('1+', { nullable: '0+', ignorable: true }),
      topicConfigErrorCode: int16('5+', { tag: 0, tagged: '5+', ignorable: true }),
      numPartitions: int32('5+', { default: -1, ignorable: true }),
      replicationFactor: int16('5+', { default: -1, ignorable: true }),
      configs: array(
        '5+',
        {
          name: string('5+'),
          value: string('5+', { nullable: '5+' }),
          readOnly: bool('5+'),
          configSource: int8('5+', { default: -1, ignorable: true }),
          isSensitive: bool('5+'),
        },
        { nullable: '5+', ignorable: true },
      ),
    }),
  }),
);
export type CreateTopicsResponse = Infer<typeof createTopicsResponse>;
