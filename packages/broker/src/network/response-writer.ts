import type { Socket } from 'node:net';
import type { LogPiece, LogSlice } from '@ottla/storage';

/** A part of an answer: bytes, or records that are read when it is their turn. */
export type ResponsePart = Buffer | LogSlice;

/** Who owns the writer. */
export interface ResponseWriterOwner {
  /** The kernel took more of an answer with slices. */
  onProgress(): void;
  /** Everything of an answer with slices is in the socket: the next one may come. */
  onStreamed(): void;
  /** The rest of an answer cannot be read: the connection is of no use any more. */
  onFailed(error: unknown): void;
}

/** What one connection may send of slices before the others have their turn. */
const MAX_TURN_BYTES = 4 * 1024 * 1024;

/**
 * The way of a connection's answers into its socket. Small ones are gathered until `flush` and leave in one writev. An
 * answer with slices goes out piece by piece, the next piece when the kernel has taken the one before:
 *
 *     [ header, fields of partition 0 | slice | fields of partition 1 | slice | ... ]
 *                                       ^ in memory: the piece that is being sent
 *
 * So a client that reads slowly holds one piece, the first records leave before the last ones are read, and the pieces
 * pass through the same memory one after the other, which stays in the processor's cache.
 */
export class ResponseWriter {
  readonly #socket: Socket;
  readonly #owner: ResponseWriterOwner;
  #isCorked = false;
  #isClosed = false;
  /** The answer that is being streamed; empty when none is. */
  #parts: readonly ResponsePart[] = [];
  #next = 0;
  /** Bytes of the slice `#next` that are sent. */
  #sliceBytes = 0;
  #onSent: (() => void) | null = null;
  /** The piece that the kernel has not taken yet, or the slice that is being read: streaming goes on after it. */
  #waitsFor: object | null = null;

  constructor(socket: Socket, owner: ResponseWriterOwner) {
    this.#socket = socket;
    this.#owner = owner;
  }

  /** No other answer may be written. */
  get isStreaming(): boolean {
    return this.#parts.length > 0;
  }

  /** Bytes that the kernel has not taken. */
  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  /** Takes an answer, while none is streamed; `onSent` is called when the kernel has every byte, or the connection is gone. */
  write(parts: readonly ResponsePart[], onSent: (() => void) | null): void {
    this.#parts = parts;
    this.#next = 0;
    this.#onSent = onSent;
    this.#cork();
    this.#writeBuffers();
    if (this.#next === parts.length) this.#parts = [];
  }

  /** Sends what was written, and of slices as much as the kernel takes. */
  flush(): void {
    if (this.#waitsFor === null) this.#stream();
    this.#uncork();
  }

  /** The connection is gone. */
  close(): void {
    this.#isClosed = true;
    this.#parts = [];
    this.#takeOnSent()?.();
  }

  #stream(): void {
    let turnBytes = 0;
    while (this.isStreaming && this.#waitsFor === null && !this.#socket.destroyed) {
      if (turnBytes >= MAX_TURN_BYTES) return this.#yield();
      try {
        turnBytes += this.#streamPiece(this.#parts[this.#next] as LogSlice);
      } catch (error) {
        this.#fail(error);
      }
    }
  }

  /** The others have their turn. */
  #yield(): void {
    const turn = {};
    this.#waitsFor = turn;
    setImmediate(() => this.#goOnAfter(turn));
  }

  /** Writes the parts up to the next slice. */
  #writeBuffers(): void {
    for (let part = this.#parts[this.#next]; Buffer.isBuffer(part); part = this.#parts[this.#next]) {
      this.#next++;
      const onSent = this.#next === this.#parts.length ? this.#takeOnSent() : null;
      if (onSent === null) this.#socket.write(part);
      else this.#socket.write(part, () => onSent());
    }
  }

  #streamPiece(slice: LogSlice): number {
    const piece = slice.pieceAt(this.#sliceBytes);
    if (!(piece instanceof Promise)) return this.#send(piece, slice);
    this.#uncork();
    this.#waitsFor = slice;
    piece.then(
      (read) => {
        if (this.#isClosed) return read.release();
        this.#waitsFor = null;
        this.#send(read, slice);
        this.flush();
      },
      (error: unknown) => this.#fail(error),
    );
    return 0;
  }

  #send(piece: LogPiece, slice: LogSlice): number {
    const { length } = piece.bytes;
    this.#sliceBytes += length;
    const isWhole = this.#sliceBytes === slice.length;
    if (isWhole) {
      this.#next++;
      this.#sliceBytes = 0;
    }
    const onSent = this.#next === this.#parts.length ? this.#takeOnSent() : null;
    this.#cork();
    this.#socket.write(piece.bytes, () => {
      piece.release();
      onSent?.();
      this.#goOnAfter(piece);
    });
    if (isWhole) this.#writeBuffers();
    this.#uncork();
    this.#owner.onProgress();
    // What the kernel took at once needs its memory no longer: the next piece gets it, still warm.
    if (this.unsentBytes === 0) piece.release();
    else this.#waitsFor = piece;
    if (this.#next === this.#parts.length) this.#end();
    return length;
  }

  #goOnAfter(wait: object): void {
    if (this.#waitsFor !== wait) return;
    this.#waitsFor = null;
    // 'close' follows; to write until then would fail again and again.
    if (this.#isClosed || this.#socket.destroyed) return;
    this.#owner.onProgress();
    this.flush();
  }

  /** Every byte is in the socket; the last ones have a callback of their own. */
  #end(): void {
    this.#parts = [];
    this.#waitsFor = null;
    this.#owner.onStreamed();
  }

  #fail(error: unknown): void {
    if (this.#isClosed) return;
    this.close();
    this.#owner.onFailed(error);
  }

  #takeOnSent(): (() => void) | null {
    const onSent = this.#onSent;
    this.#onSent = null;
    return onSent;
  }

  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#socket.cork();
  }

  #uncork(): void {
    if (!this.#isCorked) return;
    this.#isCorked = false;
    this.#socket.uncork();
  }
}
