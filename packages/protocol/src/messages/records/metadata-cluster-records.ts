import { array, bool, int16, int32, int64, int8, string, uint16, uuid } from '../../schema/field.ts';
import { metadataRecord, type Infer } from '../../schema/message-schema.ts';

export const registerBrokerRecord = metadataRecord(
  'RegisterBrokerRecord',
  { apiKey: 0, versions: '0-4', flexible: '0+' },
  () => ({
    brokerId: int32('0+', { entity: 'brokerId' }),
    isMigratingZkBroker: bool('2+'),
    incarnationId: uuid('0+'),
    brokerEpoch: int64('0+'),
    endPoints: array('0+', {
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
    fenced: bool('0+', { default: true }),
    inControlledShutdown: bool('1+'),
    logDirs: array('3+', 'uuid', { tag: 0, tagged: '3+' }),
    cordonedLogDirs: array('4+', 'uuid', { nullable: '4+', default: null, tag: 1, tagged: '4+' }),
  }),
);
export type RegisterBrokerRecord = Infer<typeof registerBrokerRecord>;

export const unregisterBrokerRecord = metadataRecord(
  'UnregisterBrokerRecord',
  { apiKey: 1, versions: '0', flexible: '0+' },
  () => ({
    brokerId: int32('0+', { entity: 'brokerId' }),
    brokerEpoch: int64('0+'),
  }),
);
export type UnregisterBrokerRecord = Infer<typeof unregisterBrokerRecord>;

export const fenceBrokerRecord = metadataRecord(
  'FenceBrokerRecord',
  { apiKey: 7, versions: '0', flexible: '0+' },
  () => ({
    id: int32('0+', { entity: 'brokerId' }),
    epoch: int64('0+'),
  }),
);
export type FenceBrokerRecord = Infer<typeof fenceBrokerRecord>;

export const unfenceBrokerRecord = metadataRecord(
  'UnfenceBrokerRecord',
  { apiKey: 8, versions: '0', flexible: '0+' },
  () => ({
    id: int32('0+', { entity: 'brokerId' }),
    epoch: int64('0+'),
  }),
);
export type UnfenceBrokerRecord = Infer<typeof unfenceBrokerRecord>;

export const featureLevelRecord = metadataRecord(
  'FeatureLevelRecord',
  { apiKey: 12, versions: '0', flexible: '0+' },
  () => ({
    name: string('0+'),
    featureLevel: int16('0+'),
  }),
);
export type FeatureLevelRecord = Infer<typeof featureLevelRecord>;

export const producerIdsRecord = metadataRecord(
  'ProducerIdsRecord',
  { apiKey: 15, versions: '0', flexible: '0+' },
  () => ({
    brokerId: int32('0+', { entity: 'brokerId' }),
    brokerEpoch: int64('0+', { default: -1 }),
    nextProducerId: int64('0+'),
  }),
);
export type ProducerIdsRecord = Infer<typeof producerIdsRecord>;

export const brokerRegistrationChangeRecord = metadataRecord(
  'BrokerRegistrationChangeRecord',
  { apiKey: 17, versions: '0-3', flexible: '0+' },
  () => ({
    brokerId: int32('0+', { entity: 'brokerId' }),
    brokerEpoch: int64('0+'),
    fenced: int8('0+', { tag: 0, tagged: '0+' }),
    inControlledShutdown: int8('1+', { tag: 1, tagged: '1+' }),
    logDirs: array('2+', 'uuid', { tag: 2, tagged: '2+' }),
    cordonedLogDirs: array('3+', 'uuid', { nullable: '3+', default: null, tag: 3, tagged: '3+' }),
  }),
);
export type BrokerRegistrationChangeRecord = Infer<typeof brokerRegistrationChangeRecord>;

export const noOpRecord = metadataRecord(
  'NoOpRecord',
  { apiKey: 20, versions: '0', flexible: '0+' },
  () => ({}),
);
export type NoOpRecord = Infer<typeof noOpRecord>;

export const zkMigrationStateRecord = metadataRecord(
  'ZkMigrationStateRecord',
  { apiKey: 21, versions: '0', flexible: '0+' },
  () => ({
    zkMigrationState: int8('0+'),
  }),
);
export type ZkMigrationStateRecord = Infer<typeof zkMigrationStateRecord>;

export const beginTransactionRecord = metadataRecord(
  'BeginTransactionRecord',
  { apiKey: 23, versions: '0', flexible: '0+' },
  () => ({
    name: string('0+', { nullable: '0+', default: null, tag: 0, tagged: '0+' }),
  }),
);
export type BeginTransactionRecord = Infer<typeof beginTransactionRecord>;

export const endTransactionRecord = metadataRecord(
  'EndTransactionRecord',
  { apiKey: 24, versions: '0', flexible: '0+' },
  () => ({}),
);
export type EndTransactionRecord = Infer<typeof endTransactionRecord>;

export const abortTransactionRecord = metadataRecord(
  'AbortTransactionRecord',
  { apiKey: 25, versions: '0', flexible: '0+' },
  () => ({
    reason: string('0+', { nullable: '0+', default: null, tag: 0, tagged: '0+' }),
  }),
);
export type AbortTransactionRecord = Infer<typeof abortTransactionRecord>;

export const registerControllerRecord = metadataRecord(
  'RegisterControllerRecord',
  { apiKey: 27, versions: '0', flexible: '0+' },
  () => ({
    controllerId: int32('0+'),
    incarnationId: uuid('0+'),
    zkMigrationReady: bool('0+'),
    endPoints: array('0+', {
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
export type RegisterControllerRecord = Infer<typeof registerControllerRecord>;

export const unregisterControllerRecord = metadataRecord(
  'UnregisterControllerRecord',
  { apiKey: 29, versions: '0', flexible: '0+' },
  () => ({
    controllerId: int32('0+'),
  }),
);
export type UnregisterControllerRecord = Infer<typeof unregisterControllerRecord>;
