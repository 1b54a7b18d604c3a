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

/** Installs a record in credentials that nobody else has; what they hold of a user is replaced, never changed. */
export function changeCredentials(
  credentials: Map<string, ReadonlyMap<number, ScramCredential>>,
  record: Extract<MetadataRecord, { type: 'UserScramCredentialRecord' | 'RemoveUserScramCredentialRecord' }>,
): void {
  const { name, mechanism } = record.data;
  const ofUser = new Map(credentials.get(name));
  if (record.type === 'UserScramCredentialRecord') {
    const { salt, storedKey, serverKey, iterations } = record.data;
    ofUser.set(mechanism, { salt, storedKey, serverKey, iterations });
  } else {
    ofUser.delete(mechanism);
  }
  if (ofUser.size > 0) credentials.set(name, ofUser);
  else credentials.delete(name);
}

/** The records that rebuild the credentials from nothing. */
export function* credentialRecords(credentials: ScramCredentials): Iterable<MetadataRecord> {
  for (const [name, ofUser] of credentials) {
    for (const [mechanism, credential] of ofUser) {
      yield metadataRecord('UserScramCredentialRecord', { name, mechanism, ...credential });
    }
  }
}
