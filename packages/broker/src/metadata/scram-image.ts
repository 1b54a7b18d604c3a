import type { MetadataRecord } from './records.ts';
import { metadataRecord } from './records.ts';

/** What the broker keeps of a password: enough to check a proof, not to make one (RFC 5802). */
export interface ScramCredential {
  readonly salt: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
  readonly iterations: number;
}

/** SCRAM credentials by user, then by Kafka's id of the mechanism: 1 SCRAM-SHA-256, 2 SCRAM-SHA-512. */
export type ScramCredentials = ReadonlyMap<string, ReadonlyMap<number, ScramCredential>>;

/** The credentials after a record. */
export function changedCredentials(
  credentials: ScramCredentials,
  record: Extract<MetadataRecord, { type: 'UserScramCredentialRecord' | 'RemoveUserScramCredentialRecord' }>,
): ScramCredentials {
  const { name, mechanism } = record.data;
  const ofUser = new Map(credentials.get(name));
  if (record.type === 'UserScramCredentialRecord') {
    const { salt, storedKey, serverKey, iterations } = record.data;
    ofUser.set(mechanism, { salt, storedKey, serverKey, iterations });
  } else {
    ofUser.delete(mechanism);
  }
  const next = new Map(credentials);
  if (ofUser.size > 0) next.set(name, ofUser);
  else next.delete(name);
  return next;
}

/** The records that rebuild the credentials from nothing. */
export function* credentialRecords(credentials: ScramCredentials): Iterable<MetadataRecord> {
  for (const [name, ofUser] of credentials) {
    for (const [mechanism, credential] of ofUser) {
      yield metadataRecord('UserScramCredentialRecord', { name, mechanism, ...credential });
    }
  }
}
