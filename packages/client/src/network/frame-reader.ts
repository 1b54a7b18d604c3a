import { BrokenProtocolError } from '../errors/client-errors.ts';

/** Size of the buffer that reads land in while no large frame is in progress. */
const LANDING_BYTES = 64 * 1024;
/** A frame's buffer up to this size is allocated at once; beyond it, in proportion to what has arrived. */
const TRUSTED_BYTES = 1024 * 1024;
/** Length of a frame, then the correlation id that every response begins with. */
const LENGTH_BYTES = 4;
const HEAD_BYTES = 8;

/** Shared by all connections: libuv reads and delivers one socket at a time, and no slice of it outlives the delivery. */
const landing: Buffer = Buffer.allocUnsafeSlow(LANDING_BYTES);

/** Whoever gets the frames. */
export interface FrameOwner {
  /** The head of a frame has arrived: throws when no such response is awaited, so that nothing is kept for a foreign protocol. */
  checkHead(correlationId: number): void;
  /** A whole frame without its length; the memory is the receiver's to keep. */
  takeFrame(frame: Buffer): void;
}

/**
 * Cuts a connection's byte stream into frames. A response of many megabytes is read straight into the one buffer it is decoded from:
 *
 * ```
 * landing buffer (shared)   [head|frame|head|par          short frames are copied into memory of their own
 * the frame's own buffer    [par|t <- the next reads go here, up to the end of the frame]
 * ```
 */
export class FrameReader {
  readonly #owner: FrameOwner;
  readonly #maxFrameBytes: number;
  /** First bytes of a frame (length and correlation id) that arrived apart from the rest. */
  readonly #head: Buffer = Buffer.alloc(HEAD_BYTES);
  #headFilled = 0;
  #frame: Buffer | null = null;
  #frameSize = 0;
  #frameFilled = 0;
  #largestFrame = 0;

  constructor(owner: FrameOwner, maxFrameBytes: number) {
    this.#owner = owner;
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** A frame has begun and is not complete. */
  get isInFrame(): boolean {
    return this.#frame !== null || this.#headFilled > 0;
  }

  /** Where the next read should put its bytes; never empty. */
  nextBuffer(): Buffer {
    const frame = this.#frame;
    return frame === null ? landing : frame.subarray(this.#frameFilled);
  }

  /**
   * Takes the first `count` bytes of `buffer`, normally the one that `nextBuffer` gave, and delivers the frames that are complete.
   * Throws what the owner throws, and BrokenProtocolError for an impossible length.
   */
  receive(buffer: Buffer, count: number): void {
    const frame = this.#frame;
    if (frame === null) {
      this.#parse(buffer, 0, count);
      return;
    }
    // Both may be of Node's pool: it is the place that tells whether the bytes are in the frame already.
    if (buffer.buffer === frame.buffer && buffer.byteOffset === frame.byteOffset + this.#frameFilled) {
      this.#frameFilled += count;
      this.#frameGrew(frame);
      return;
    }
    this.#fill(frame, buffer, 0, count);
  }

  /** Forgets what has arrived of a frame. */
  reset(): void {
    this.#frame = null;
    this.#headFilled = 0;
  }

  #fill(frame: Buffer, source: Buffer, from: number, end: number): void {
    const taken = source.copy(frame, this.#frameFilled, from, end);
    this.#frameFilled += taken;
    this.#frameGrew(frame);
    if (from + taken < end) {
      if (this.#frame === null) this.#parse(source, from + taken, end);
      else this.#fill(this.#frame, source, from + taken, end);
    }
  }

  #frameGrew(frame: Buffer): void {
    if (this.#frameFilled === this.#frameSize) {
      this.#frame = null;
      this.#largestFrame = Math.max(this.#largestFrame, this.#frameSize);
      this.#owner.takeFrame(frame);
    } else if (this.#frameFilled === frame.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(this.#frameSize, this.#frameFilled * 4));
      frame.copy(larger);
      this.#frame = larger;
    }
  }

  #parse(source: Buffer, from: number, end: number): void {
    let start = from;
    while (start < end) {
      if (this.#headFilled > 0 || end - start < HEAD_BYTES) {
        const taken = source.copy(this.#head, this.#headFilled, start, end);
        this.#headFilled += taken;
        start += taken;
        if (this.#headFilled < HEAD_BYTES) {
          if (this.#headFilled >= LENGTH_BYTES) this.#checkLength(this.#head.readInt32BE(0), this.#head);
          return;
        }
        this.#headFilled = 0;
        this.#begin(this.#head, 0);
        this.#frameFilled = this.#head.copy(this.#frame!, 0, LENGTH_BYTES);
      } else {
        this.#begin(source, start);
        this.#frameFilled = 0;
        start += LENGTH_BYTES;
      }
      const frame: Buffer = this.#frame!;
      const taken = source.copy(frame, this.#frameFilled, start, end);
      this.#frameFilled += taken;
      start += taken;
      this.#frameGrew(frame);
      if (this.#frame !== null && start < end) {
        this.#fill(this.#frame, source, start, end);
        return;
      }
    }
  }

  /** Makes room for the frame whose length and correlation id stand at `start`. */
  #begin(source: Buffer, start: number): void {
    const size = source.readInt32BE(start);
    this.#checkLength(size, source.subarray(start));
    this.#owner.checkHead(source.readInt32BE(start + LENGTH_BYTES));
    const room = Math.min(size, Math.max(TRUSTED_BYTES, this.#largestFrame * 2));
    // Small ones come from Node's pool; large ones get pages of their own, which the kernel provides as they fill.
    this.#frame = room < LANDING_BYTES ? Buffer.allocUnsafe(room) : Buffer.allocUnsafeSlow(room);
    this.#frameSize = size;
  }

  #checkLength(size: number, bytes: Buffer): void {
    if (size >= LENGTH_BYTES && size <= this.#maxFrameBytes) return;
    const foreign = foreignProtocol(bytes);
    throw new BrokenProtocolError(
      foreign === null
        ? `A response announces ${size} bytes, at most ${this.#maxFrameBytes} are accepted (maxResponseBytes)`
        : `The server speaks ${foreign}, not Kafka's protocol`,
      { retriable: foreign !== null || size < LENGTH_BYTES },
    );
  }
}

/** What the first bytes of an answer look like when they are not Kafka's. */
function foreignProtocol(bytes: Buffer): string | null {
  const text = bytes.toString('latin1', 0, LENGTH_BYTES);
  if (text === 'HTTP') return 'HTTP';
  if (text === 'SSH-') return 'SSH';
  // A TLS record: its type, then the major version.
  if (bytes[0]! >= 0x14 && bytes[0]! <= 0x17 && bytes[1] === 3)
    return 'TLS (set tls: true, or security.protocol=SSL or SASL_SSL)';
  if (/^[\x20-\x7e]{3}/.test(text)) return `some text protocol ("${text.trim()}...")`;
  return null;
}
