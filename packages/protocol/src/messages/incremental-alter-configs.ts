import { array, bool, int16, int32, int8, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const incrementalAlterConfigsRequest = request(
  'IncrementalAlterConfigsRequest',
  { apiKey: 44, versions: '0-1', flexible: '1+', listeners: ['broker', 'controller'] },
  () => ({
    resources: array('0+', {
      resourceType: int8('0+', { mapKey: true }),
      resourceName: string('0+', { mapKey: true }),
      configs: array('0+', {
        name: string('0+', { mapKey: true }),
        configOperation: int8('0+', { mapKey: true }),
        value: string('0+', { nullable: '0+' }),
      }),
    }),
    validateOnly: bool('0+'),
  }),
);
export type IncrementalAlterConfigsRequest = Infer<typeof incrementalAlterConfigsRequest>;

export const incrementalAlterConfigsResponse = response(
  'IncrementalAlterConfigsResponse',
  { apiKey: 44, versions: '0-1', flexible: '1+' },
  () => ({
    throttleTimeMs: int32('0+'),
    responses: array('0+', {
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+' }),
      resourceType: int8('0+'),
      resourceName: string('0+'),
    }),
  }),
);
export type IncrementalAlterConfigsResponse = Infer<typeof incrementalAlterConfigsResponse>;
