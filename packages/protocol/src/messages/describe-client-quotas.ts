import { array, bool, float64, int16, int32, int8, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const describeClientQuotasRequest = request(
  'DescribeClientQuotasRequest',
  { apiKey: 48, versions: '0-1', flexible: '1+', listeners: ['broker'] },
  () => ({
    components: array('0+', {
      entityType: string('0+'),
      matchType: int8('0+'),
      match: string('0+', { nullable: '0+' }),
    }),
    strict: bool('0+'),
  }),
);
export type DescribeClientQuotasRequest = Infer<typeof describeClientQuotasRequest>;

export const describeClientQuotasResponse = response(
  'DescribeClientQuotasResponse',
  { apiKey: 48, versions: '0-1', flexible: '1+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    entries: array(
      '0+',
      {
        entity: array('0+', {
          entityType: string('0+'),
          entityName: string('0+', { nullable: '0+' }),
        }),
        values: array('0+', {
          key: string('0+'),
          value: float64('0+'),
        }),
      },
      { nullable: '0+' },
    ),
  }),
);
export type DescribeClientQuotasResponse = Infer<typeof describeClientQuotasResponse>;
