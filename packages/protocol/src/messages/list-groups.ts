import { array, int16, int32, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const listGroupsRequest = request(
  'ListGroupsRequest',
  { apiKey: 16, versions: '0-5', flexible: '3+', listeners: ['broker'] },
  () => ({
    statesFilter: array('4+', 'string'),
    typesFilter: array('5+', 'string'),
  }),
);
export type ListGroupsRequest = Infer<typeof listGroupsRequest>;

export const listGroupsResponse = response(
  'ListGroupsResponse',
  { apiKey: 16, versions: '0-5', flexible: '3+' },
  () => ({
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
    groups: array('0+', {
      groupId: string('0+', { entity: 'groupId' }),
      protocolType: string('0+'),
      groupState: string('4+', { ignorable: true }),
      groupType: string('5+', { ignorable: true }),
    }),
  }),
);
export type ListGroupsResponse = Infer<typeof listGroupsResponse>;
