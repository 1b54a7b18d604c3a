/** Bytes that break the protocol. `position` is the offset in the decoded buffer where it was noticed; -1 when there is none. */
export class ProtocolError extends Error {
  override readonly name: string = 'ProtocolError';
  readonly position: number;

  constructor(message: string, position: number) {
    super(message);
    this.position = position;
  }
}

/** A version outside a message's range, or a value that the asked version cannot carry; Kafka's UNSUPPORTED_VERSION. */
export class UnsupportedVersionError extends ProtocolError {
  override readonly name = 'UnsupportedVersionError';

  constructor(message: string) {
    super(message, -1);
  }
}
