import type { MetadataRecord } from './records.ts';

/** What a record that the broker does not interpret does to the kept set: sets or removes the entry of one identity. */
export interface KeptChange {
  readonly identity: string;
  readonly remove: boolean;
}

/**
 * Kafka's metadata log holds kinds of records that no part of this broker reads yet. Each has an identity, so that
 * the newest one replaces its predecessor and a removal erases it, exactly as in Kafka's own image.
 * Returns null for kinds that leave nothing behind.
 */
export function keptChange(record: MetadataRecord): KeptChange | null {
  switch (record.type) {
    case 'AccessControlEntryRecord':
      return { identity: `acl/${record.data.id}`, remove: false };
    case 'RemoveAccessControlEntryRecord':
      return { identity: `acl/${record.data.id}`, remove: true };
    case 'DelegationTokenRecord':
      return { identity: `token/${record.data.tokenId}`, remove: false };
    case 'RemoveDelegationTokenRecord':
      return { identity: `token/${record.data.tokenId}`, remove: true };
    case 'RegisterControllerRecord':
      return { identity: `controller/${record.data.controllerId}`, remove: false };
    case 'UnregisterControllerRecord':
      return { identity: `controller/${record.data.controllerId}`, remove: true };
    case 'ZkMigrationStateRecord':
      return { identity: 'zk-migration', remove: false };
    default:
      return null;
  }
}
