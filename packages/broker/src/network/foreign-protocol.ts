const HTTP_METHODS = ['GET ', 'POST', 'PUT ', 'HEAD', 'DELE', 'OPTI', 'PATC', 'CONN'];

/**
 * What a client seems to speak when its first four bytes are no sensible frame length: the usual mistakes are a browser
 * or a TLS client on a plaintext port. Null when nothing is recognised.
 */
export function foreignProtocolOf(length: number): 'HTTP' | 'TLS' | null {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(length, 0);
  // A TLS handshake record: type 22, version 3.x.
  if (bytes[0] === 0x16 && bytes[1] === 0x03) return 'TLS';
  return HTTP_METHODS.includes(bytes.toString('latin1')) ? 'HTTP' : null;
}
