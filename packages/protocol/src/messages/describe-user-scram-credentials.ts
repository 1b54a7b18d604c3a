import { array, int16, int32, int8, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const describeUserScramCredentialsRequest = request(
  'DescribeUserScramCredentialsRequest',
  { apiKey: 50, versions: '0', flexible: '0+', listeners: ['broker', 'controller'] },
  () => ({
    users: array(
      '0+',
      {
        name: string('0+'),
      },
      { nullable: '0+' },
    ),
  }),
);
export type DescribeUserScramCredentialsRequest = Infer<typeof describeUserScramCredentialsRequest>;

export const describeUserScramCredentialsResponse = response(
  'DescribeUserScramCredentialsResponse',
  { apiKey: 50, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    results: array('0+', {
      user: string('0+'),
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+' }),
      credentialInfos: array('0+', {
        mechanism: int8('0+'),
        iterations: int32('0+'),
      }),
    }),
  }),
);
export type DescribeUserScramCredentialsResponse = Infer<typeof describeUserScramCredentialsResponse>;
