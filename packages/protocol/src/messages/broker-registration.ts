import { array, bool, int16, int32, int64, string, uint16, uuid } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const brokerRegistrationRequest = request(
  'BrokerRegistrationRequest',
  { apiKey: 62, versions: '0-4', flexible: '0+', listeners: ['controller'] },
  () => ({
    brokerId: int32('0+', { entity: 'brokerId' }),
    clusterId: string('0+'),
    incarnationId: uuid('0+'),
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
    rack: string('0+', { nullable: '0+' }),
    isMigratingZkBroker: bool('1+'),
    logDirs: array('2+', 'uuid', { ignorable: true }),
    previousBrokerEpoch: int64('3+', { default: -1, ignorable: true }),
  }),
);
export type BrokerRegistrationRequest = Infer<typeof brokerRegistrationRequest>;

export const brokerRegistrationResponse = response(
  'BrokerRegistrationResponse',
  { apiKey: 62, versions: '0-4', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    brokerEpoch: int64('0+', { default: -1 }),
  }),
);
export type BrokerRegistrationResponse = Infer<typeof brokerRegistrationResponse>;
