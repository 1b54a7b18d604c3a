import { array, int16, int32, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const deleteGroupsRequest = request(
  'DeleteGroupsRequest',
  { apiKey: 42, versions: '0-3', flexible: '2+', listeners: ['broker'] },
  () => ({
    groupsNames: array('0+', 'string', { entity: 'groupId' }),
  }),
);
export type DeleteGroupsRequest = Infer<typeof deleteGroupsRequest>;

export const deleteGroupsResponse = response(
  'DeleteGroupsResponse',
  { apiKey: 42, versions: '0-3', flexible: '2+' },
  () => ({
    throttleTimeMs: int32('0+'),
    results: array('0+', {
      groupId: string('0+', { mapKey: true, entity: 'groupId' }),
      errorCode: int16('0+'),
      errorMessage: string('3+', { nullable: '3+', default: null, ignorable: true }),
    }),
  }),
);
export type DeleteGroupsResponse = Infer<typeof deleteGroupsResponse>;
