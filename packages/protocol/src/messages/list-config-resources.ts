import { array, int16, int32, int8, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const listConfigResourcesRequest = request(
  'ListConfigResourcesRequest',
  { apiKey: 74, versions: '0-1', flexible: '0+', listeners: ['broker'] },
  () => ({
    resourceTypes: array('1+', 'int8'),
  }),
);
export type ListConfigResourcesRequest = Infer<typeof listConfigResourcesRequest>;

export const listConfigResourcesResponse = response(
  'ListConfigResourcesResponse',
  { apiKey: 74, versions: '0-1', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    configResources: array('0+', {
      resourceName: string('0+'),
      resourceType: int8('1+', { default: 16, ignorable: true }),
    }),
  }),
);
export type ListConfigResourcesResponse = Infer<typeof listConfigResourcesResponse>;
