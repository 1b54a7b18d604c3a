import { createHash, createHmac } from 'node:crypto';

/** Digests by Kafka's id of the SCRAM mechanism. */
export const SCRAM_HASHES: ReadonlyMap<number, 'sha256' | 'sha512'> = new Map([
  [1, 'sha256'],
  [2, 'sha512'],
]);

/** StoredKey and ServerKey of RFC 5802, which take the place of the salted password that they come from. */
export function scramKeys(
  mechanism: number,
  saltedPassword: Buffer,
): { storedKey: Buffer; serverKey: Buffer } {
  const hash = SCRAM_HASHES.get(mechanism);
  if (hash === undefined) throw new RangeError(`Mechanism ${mechanism} is no SCRAM mechanism: use 1 or 2`);
  const hmac = (text: string): Buffer => createHmac(hash, saltedPassword).update(text).digest();
  return {
    storedKey: createHash(hash).update(hmac('Client Key')).digest(),
    serverKey: hmac('Server Key'),
  };
}
