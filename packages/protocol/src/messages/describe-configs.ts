import { array, bool, int16, int32, int8, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const describeConfigsRequest = request(
  'DescribeConfigsRequest',
  { apiKey: 32, versions: '1-4', flexible: '4+', listeners: ['broker', 'controller'] },
  () => ({
    resources: array('0+', {
      resourceType: int8('0+'),
      resourceName: string('0+'),
      configurationKeys: array('0+', 'string', { nullable: '0+' }),
    }),
    includeSynonyms: bool('1+'),
    includeDocumentation: bool('3+'),
  }),
);
export type DescribeConfigsRequest = Infer<typeof describeConfigsRequest>;

export const describeConfigsResponse = response(
  'DescribeConfigsResponse',
  { apiKey: 32, versions: '1-4', flexible: '4+' },
  () => ({
    throttleTimeMs: int32('0+'),
    results: array('0+', {
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+' }),
      resourceType: int8('0+'),
      resourceName: string('0+'),
      configs: array('0+', {
        name: string('0+'),
        value: string('0+', { nullable: '0+' }),
        readOnly: bool('0+'),
        configSource: int8('1+', { default: -1, ignorable: true }),
        isSensitive: bool('0+'),
        synonyms: array(
          '1+',
          {
            name: string('1+'),
            value: string('1+', { nullable: '0+' }),
            source: int8('1+'),
          },
          { ignorable: true },
        ),
        configType: int8('3+', { ignorable: true }),
        documentation: string('3+', { nullable: '0+', ignorable: true }),
      }),
    }),
  }),
);
export type DescribeConfigsResponse = Infer<typeof describeConfigsResponse>;
