import { array, bytes, int32, int64, int8, string, uuid } from '../../schema/field.ts';
import { metadataRecord, type Infer } from '../../schema/message-schema.ts';

export const delegationTokenRecord = metadataRecord(
  'DelegationTokenRecord',
  { apiKey: 10, versions: '0', flexible: '0+' },
  () => ({
    owner: string('0+'),
    requester: string('0+'),
    renewers: array('0+', 'string'),
    issueTimestamp: int64('0+'),
    maxTimestamp: int64('0+'),
    expirationTimestamp: int64('0+'),
    tokenId: string('0+'),
  }),
);
export type DelegationTokenRecord = Infer<typeof delegationTokenRecord>;

export const userScramCredentialRecord = metadataRecord(
  'UserScramCredentialRecord',
  { apiKey: 11, versions: '0', flexible: '0+' },
  () => ({
    name: string('0+'),
    mechanism: int8('0+'),
    salt: bytes('0+'),
    storedKey: bytes('0+'),
    serverKey: bytes('0+'),
    iterations: int32('0+'),
  }),
);
export type UserScramCredentialRecord = Infer<typeof userScramCredentialRecord>;

export const accessControlEntryRecord = metadataRecord(
  'AccessControlEntryRecord',
  { apiKey: 18, versions: '0', flexible: '0+' },
  () => ({
    id: uuid('0+'),
    resourceType: int8('0+'),
    resourceName: string('0+'),
    patternType: int8('0+'),
    principal: string('0+'),
    host: string('0+'),
    operation: int8('0+'),
    permissionType: int8('0+'),
  }),
);
export type AccessControlEntryRecord = Infer<typeof accessControlEntryRecord>;

export const removeAccessControlEntryRecord = metadataRecord(
  'RemoveAccessControlEntryRecord',
  { apiKey: 19, versions: '0', flexible: '0+' },
  () => ({
    id: uuid('0+'),
  }),
);
export type RemoveAccessControlEntryRecord = Infer<typeof removeAccessControlEntryRecord>;

export const removeUserScramCredentialRecord = metadataRecord(
  'RemoveUserScramCredentialRecord',
  { apiKey: 22, versions: '0', flexible: '0+' },
  () => ({
    name: string('0+'),
    mechanism: int8('0+'),
  }),
);
export type RemoveUserScramCredentialRecord = Infer<typeof removeUserScramCredentialRecord>;

export const removeDelegationTokenRecord = metadataRecord(
  'RemoveDelegationTokenRecord',
  { apiKey: 26, versions: '0', flexible: '0+' },
  () => ({
    tokenId: string('0+'),
  }),
);
export type RemoveDelegationTokenRecord = Infer<typeof removeDelegationTokenRecord>;
