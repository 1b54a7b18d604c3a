import { array, bool, int16, int32, int8, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const updateFeaturesRequest = request(
  'UpdateFeaturesRequest',
  { apiKey: 57, versions: '0-2', flexible: '0+', listeners: ['broker', 'controller'] },
  () => ({
    timeoutMs: int32('0+', { default: 60000 }),
    featureUpdates: array('0+', {
      feature: string('0+', { mapKey: true }),
      maxVersionLevel: int16('0+'),
      allowDowngrade: bool('0'),
      upgradeType: int8('1+', { default: 1 }),
    }),
    validateOnly: bool('1+'),
  }),
);
export type UpdateFeaturesRequest = Infer<typeof updateFeaturesRequest>;

export const updateFeaturesResponse = response(
  'UpdateFeaturesResponse',
  { apiKey: 57, versions: '0-2', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    results: array(
      '0-1',
      {
        feature: string('0+', { mapKey: true }),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+' }),
      },
      { ignorable: true },
    ),
  }),
);
export type UpdateFeaturesResponse = Infer<typeof updateFeaturesResponse>;
