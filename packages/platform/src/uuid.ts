/**
 * Turns 16 random bytes into a version 4 uuid in Kafka's spelling: url-safe base64 without padding, 22 characters.
 * Null when it would start with `-`, which Kafka avoids because command lines would take it for an option.
 */
export function uuidFromBytes(bytes: Buffer): string | null {
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const text = bytes.toString('base64url');
  return text.startsWith('-') ? null : text;
}
