import { array, bytes, int16, int32, int8, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const alterUserScramCredentialsRequest = request(
  'AlterUserScramCredentialsRequest',
  { apiKey: 51, versions: '0', flexible: '0+', listeners: ['broker', 'controller'] },
  () => ({
    deletions: array('0+', {
      name: string('0+'),
      mechanism: int8('0+'),
    }),
    upsertions: array('0+', {
      name: string('0+'),
      mechanism: int8('0+'),
      iterations: int32('0+'),
      salt: bytes('0+'),
      saltedPassword: bytes('0+'),
    }),
  }),
);
export type AlterUserScramCredentialsRequest = Infer<typeof alterUserScramCredentialsRequest>;

export const alterUserScramCredentialsResponse = response(
  'AlterUserScramCredentialsResponse',
  { apiKey: 51, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    results: array('0+', {
      user: string('0+'),
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+' }),
    }),
  }),
);
export type AlterUserScramCredentialsResponse = Infer<typeof alterUserScramCredentialsResponse>;
