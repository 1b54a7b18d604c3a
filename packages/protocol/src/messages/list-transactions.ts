import { array, int16, int32, int64, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const listTransactionsRequest = request(
  'ListTransactionsRequest',
  { apiKey: 66, versions: '0-2', flexible: '0+', listeners: ['broker'] },
  () => ({
    stateFilters: array('0+', 'string'),
    producerIdFilters: array('0+', 'int64', { entity: 'producerId' }),
    durationFilter: int64('1+', { default: -1 }),
    transactionalIdPattern: string('2+', { nullable: '2+', default: null }),
  }),
);
export type ListTransactionsRequest = Infer<typeof listTransactionsRequest>;

export const listTransactionsResponse = response(
  'ListTransactionsResponse',
  { apiKey: 66, versions: '0-2', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    unknownStateFilters: array('0+', 'string'),
    transactionStates: array('0+', {
      transactionalId: string('0+', { entity: 'transactionalId' }),
      producerId: int64('0+', { entity: 'producerId' }),
      transactionState: string('0+'),
    }),
  }),
);
export type ListTransactionsResponse = Infer<typeof listTransactionsResponse>;
