import { array, bool, int16, int32, int64, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const apiVersionsRequest = request(
  'ApiVersionsRequest',
  { apiKey: 18, versions: '0-5', flexible: '3+', listeners: ['broker', 'controller'] },
  () => ({
    clientSoftwareName: string('3+', { ignorable: true }),
    clientSoftwareVersion: string('3+', { ignorable: true }),
    clusterId: string('5+', { nullable: '5+', default: null, ignorable: true }),
    nodeId: int32('5+', { default: -1, ignorable: true }),
  }),
);
export type ApiVersionsRequest = Infer<typeof apiVersionsRequest>;

export const apiVersionsResponse = response(
  'ApiVersionsResponse',
  { apiKey: 18, versions: '0-5', flexible: '3+' },
  () => ({
    errorCode: int16('0+'),
    apiKeys: array('0+', {
      apiKey: int16('0+', { mapKey: true }),
      minVersion: int16('0+'),
      maxVersion: int16('0+'),
    }),
    throttleTimeMs: int32('1+', { ignorable: true }),
    supportedFeatures: array(
      '3+',
      {
        name: string('3+', { mapKey: true }),
        minVersion: int16('3+'),
        maxVersion: int16('3+'),
      },
      { tag: 0, tagged: '3+', ignorable: true },
    ),
    finalizedFeaturesEpoch: int64('3+', { default: -1, tag: 1, tagged: '3+', ignorable: true }),
    finalizedFeatures: array(
      '3+',
      {
        name: string('3+', { mapKey: true }),
        maxVersionLevel: int16('3+'),
        minVersionLevel: int16('3+'),
      },
      { tag: 2, tagged: '3+', ignorable: true },
    ),
    zkMigrationReady: bool('3+', { tag: 3, tagged: '3+', ignorable: true }),
  }),
);
export type ApiVersionsResponse = Infer<typeof apiVersionsResponse>;
