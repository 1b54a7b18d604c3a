import { array, bool, int16, int32, string, uint16, uuid } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const controllerRegistrationRequest = request(
  'ControllerRegistrationRequest',
  { apiKey: 70, versions: '0', flexible: '0+', listeners: ['controller'] },
  () => ({
    controllerId: int32('0+'),
    incarnationId: uuid('0+'),
    zkMigrationReady: bool('0+'),
    listeners: array('0+', {
      name: string('0+', { mapKey: true }),
      host: string('0+'),
      port: uint16('0+'),
      securityProtocol: int16('0+'),
    }),
    features: array('0+', {
      name: string('0+', { mapKey: true }),
      minSupportedVersion: int16('0+'),
      maxSupportedVersion: int16('0+'),
    }),
  }),
);
export type ControllerRegistrationRequest = Infer<typeof controllerRegistrationRequest>;

export const controllerRegistrationResponse = response(
  'ControllerRegistrationResponse',
  { apiKey: 70, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
  }),
);
export type ControllerRegistrationResponse = Infer<typeof controllerRegistrationResponse>;
