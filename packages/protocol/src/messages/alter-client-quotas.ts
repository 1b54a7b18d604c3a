import { array, bool, float64, int16, int32, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const alterClientQuotasRequest = request(
  'AlterClientQuotasRequest',
  { apiKey: 49, versions: '0-1', flexible: '1+', listeners: ['broker', 'controller'] },
  () => ({
    entries: array('0+', {
      entity: array('0+', {
        entityType: string('0+'),
        entityName: string('0+', { nullable: '0+' }),
      }),
      ops: array('0+', {
        key: string('0+'),
        value: float64('0+'),
        remove: bool('0+'),
      }),
    }),
    validateOnly: bool('0+'),
  }),
);
export type AlterClientQuotasRequest = Infer<typeof alterClientQuotasRequest>;

export const alterClientQuotasResponse = response(
  'AlterClientQuotasResponse',
  { apiKey: 49, versions: '0-1', flexible: '1+' },
  () => ({
    throttleTimeMs: int32('0+'),
    entries: array('0+', {
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+' }),
      entity: array('0+', {
        entityType: string('0+'),
        entityName: string('0+', { nullable: '0+' }),
      }),
    }),
  }),
);
export type AlterClientQuotasResponse = Infer<typeof alterClientQuotasResponse>;
