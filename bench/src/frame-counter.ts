/**
 * Finds the ends of the frames in a stream without keeping their bytes. The first bytes of each frame are kept
 * for a look at the error code.
 *
 *   | length | frame ........ | length | frame ... |
 *   chunk 1 ------------|  chunk 2 ----------------|
 */
export class FrameCounter {
  readonly #onFrame: (head: Buffer, length: number) => void;
  readonly #head: Buffer;
  readonly #lengthBytes = Buffer.alloc(4);
  #lengthFilled = 0;
  #headFilled = 0;
  #length = 0;
  #remaining = 0;

  /** `onFrame` gets the first `headBytes` bytes of each frame, valid until it returns, and the frame's length. */
  constructor(headBytes: number, onFrame: (head: Buffer, length: number) => void) {
    this.#head = Buffer.alloc(headBytes);
    this.#onFrame = onFrame;
  }

  /** Takes the bytes `chunk[0, end)`. */
  push(chunk: Buffer, end: number): void {
    let position = 0;
    while (position < end) {
      if (this.#lengthFilled < 4) {
        this.#lengthBytes[this.#lengthFilled] = chunk[position]!;
        this.#lengthFilled += 1;
        position += 1;
        if (this.#lengthFilled === 4) {
          this.#length = this.#lengthBytes.readInt32BE(0);
          this.#remaining = this.#length;
          this.#headFilled = 0;
        }
        continue;
      }
      const taken = Math.min(this.#remaining, end - position);
      if (this.#headFilled < this.#head.length) {
        this.#headFilled += chunk.copy(this.#head, this.#headFilled, position, position + taken);
      }
      position += taken;
      this.#remaining -= taken;
      if (this.#remaining === 0) {
        this.#lengthFilled = 0;
        this.#onFrame(this.#head.subarray(0, Math.min(this.#length, this.#head.length)), this.#length);
      }
    }
  }
}
