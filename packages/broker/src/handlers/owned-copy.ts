/**
 * A copy of bytes that outlive their request: a slice would keep the whole frame, and perhaps its socket's buffer, alive
 * for as long as the group has the member.
 */
export function ownedCopy(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
