import { createConnection, type Socket } from 'node:net';

/** A connection that sends bytes as they are and hands back whole frames, for input that no client would send. */
export class RawConnection {
  /** Settles when the broker (or the test) has closed the connection. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #frames: Buffer[] = [];
  readonly #waiting: ((frame: Buffer | undefined) => void)[] = [];
  /** What has arrived and is no whole frame yet. */
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** A frame is whole when so much is pending. */
  #neededBytes = 4;
  #ended = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#ended = true;
        for (const wake of this.#waiting.splice(0)) wake(undefined);
        resolve();
      });
    });
  }

  /** Connects to a port of this machine. */
  static open(port: number): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ port, host: '127.0.0.1', noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new RawConnection(socket)));
    });
  }

  /** Sends bytes as they are. */
  send(...chunks: readonly Buffer[]): void {
    for (const chunk of chunks) this.#socket.write(chunk);
  }

  /** Sends a frame: its length, then the bytes. */
  sendFrame(...chunks: readonly Buffer[]): void {
    const length = Buffer.alloc(4);
    length.writeInt32BE(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
    this.send(length, ...chunks);
  }

  /** The next frame without its length; undefined when the broker closed the connection or said nothing in time. */
  receive(timeoutMs = 20_000): Promise<Buffer | undefined> {
    const frame = this.#frames.shift();
    if (frame !== undefined || this.#ended) return Promise.resolve(frame);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), timeoutMs);
      this.#waiting.push((next) => {
        clearTimeout(timer);
        resolve(next);
      });
    });
  }

  /** How the broker reacts to what was sent: an answer, the end of the connection, or silence. */
  async reaction(timeoutMs = 3_000): Promise<Buffer | 'closed' | 'silence'> {
    const frame = await this.receive(timeoutMs);
    return frame ?? (this.#ended ? 'closed' : 'silence');
  }

  /** Ends the connection from this side. */
  close(): void {
    this.#socket.destroy();
  }

  /** Reads nothing more until `resume`: what the broker sends stays in the buffers of the kernel, then with the broker. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #take(chunk: Buffer): void {
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
    if (this.#pendingBytes < this.#neededBytes) return;
    let bytes = Buffer.concat(this.#pending, this.#pendingBytes);
    this.#neededBytes = neededBytes(bytes);
    while (bytes.length >= this.#neededBytes) {
      const frame = bytes.subarray(4, this.#neededBytes);
      bytes = bytes.subarray(this.#neededBytes);
      this.#neededBytes = neededBytes(bytes);
      const wake = this.#waiting.shift();
      if (wake === undefined) this.#frames.push(frame);
      else wake(frame);
    }
    this.#pending = [bytes];
    this.#pendingBytes = bytes.length;
  }
}

/** Bytes up to the end of the frame that begins with `bytes`, or of its length. */
function neededBytes(bytes: Buffer): number {
  return bytes.length < 4 ? 4 : 4 + bytes.readInt32BE(0);
}
