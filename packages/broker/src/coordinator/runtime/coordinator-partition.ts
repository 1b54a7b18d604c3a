/** Java's `String.hashCode`: 31-based over UTF-16 units, in 32 bits. */
export function javaStringHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0;
  return hash;
}

/** The partition of an internal topic that a coordinator key (group id, transactional id) belongs to. */
export function coordinatorPartition(key: string, partitionCount: number): number {
  const hash = javaStringHash(key);
  // The one hash without a positive counterpart counts as 0.
  return (hash === -0x80000000 ? 0 : Math.abs(hash)) % partitionCount;
}
