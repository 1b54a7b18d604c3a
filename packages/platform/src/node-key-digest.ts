import { createHash, randomBytes } from 'node:crypto';

/** Drawn anew by each process: nobody who chooses keys can know which of them would collide. */
const salt = randomBytes(16);

/** Digests a key to 16 bytes (MD5 after a secret salt): the same for the same key within this process. */
export function keyDigest(key: Buffer): Buffer {
  return createHash('md5').update(salt).update(key).digest();
}
