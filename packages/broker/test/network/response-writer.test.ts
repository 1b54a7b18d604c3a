import { connect, createServer, type Socket } from 'node:net';
import { SeededRandom } from '@ottla/platform';
import type { LogPiece, LogSlice } from '@ottla/storage';
import { afterEach, describe, expect, test } from 'vitest';
import { type ResponsePart, ResponseWriter } from '../../src/network/response-writer.ts';

/** Records that come in pieces, at once or later, and that know who holds them. */
class FakeSlice implements LogSlice {
  readonly length: number;
  readonly nextOffset = 0;
  held = 0;
  mostHeld = 0;
  reads = 0;
  isReleased = false;
  readonly #bytes: Buffer;
  readonly #random: SeededRandom;
  /** Called before a piece is given. */
  onRead: () => void = () => {};

  constructor(bytes: Buffer, random: SeededRandom) {
    this.length = bytes.length;
    this.#bytes = bytes;
    this.#random = random;
  }

  pieceAt(at: number): LogPiece | Promise<LogPiece> {
    this.reads++;
    this.onRead();
    const length = Math.min(this.length - at, 1 + this.#random.nextInt(300_000));
    // Memory that is used again at once when it is released too early.
    const bytes = Buffer.from(this.#bytes.subarray(at, at + length));
    this.held++;
    this.mostHeld = Math.max(this.mostHeld, this.held);
    let isHeld = true;
    const release = (): void => {
      if (!isHeld) return;
      isHeld = false;
      this.held--;
      bytes.fill(0xff);
    };
    const piece = { bytes, release };
    return this.#random.chance(0.5) ? piece : new Promise((resolve) => setImmediate(() => resolve(piece)));
  }

  release(): void {
    this.isReleased = true;
  }
}

const sockets: Socket[] = [];
const closing: (() => void)[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const close of closing.splice(0)) close();
});

/** Two ends of a connection. */
async function connected(): Promise<{ near: Socket; far: Socket }> {
  const server = createServer();
  closing.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as { port: number };
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const far = connect(address.port, '127.0.0.1');
  far.pause();
  const near = await accepted;
  for (const socket of [near, far]) socket.on('error', () => {});
  sockets.push(near, far);
  return { near, far };
}

/** A writer that gets the next answer whenever it is done with one. */
class Answers {
  readonly writer: ResponseWriter;
  readonly errors: unknown[] = [];
  sent = 0;
  readonly #queue: ResponsePart[][];

  constructor(socket: Socket, answers: readonly ResponsePart[][]) {
    this.#queue = [...answers];
    this.writer = new ResponseWriter(socket, {
      onProgress: () => {},
      onStreamed: () => this.next(),
      onFailed: (error) => {
        this.errors.push(error);
        socket.destroy();
      },
    });
    socket.on('close', () => this.writer.close());
  }

  next(): void {
    while (this.#queue.length > 0 && !this.writer.isStreaming) {
      this.writer.write(this.#queue.shift()!, () => this.sent++);
    }
    setImmediate(() => this.writer.flush());
  }
}

function receive(socket: Socket, bytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let received = 0;
  return new Promise((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      received += chunk.length;
      if (received >= bytes) resolve(Buffer.concat(chunks));
    });
    socket.resume();
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

function randomBytes(random: SeededRandom, length: number): Buffer {
  return Buffer.alloc(length, Buffer.from(Array.from({ length: 997 }, () => random.nextInt(255))));
}

describe('a response writer', () => {
  test.each([1, 2, 3, 4, 5, 6])('sends every byte in order and gives all back (seed %i)', async (seed) => {
    const random = new SeededRandom(seed);
    const slices: FakeSlice[] = [];
    const expected: Buffer[] = [];
    const answers = Array.from({ length: 20 }, () =>
      Array.from({ length: 1 + random.nextInt(5) }, () => {
        const isSlice = random.chance(0.5);
        const bytes = randomBytes(random, 1 + random.nextInt(isSlice ? 900_000 : 100));
        expected.push(bytes);
        if (!isSlice) return bytes;
        const slice = new FakeSlice(bytes, random);
        slices.push(slice);
        return slice;
      }),
    );
    const { near, far } = await connected();
    const out = new Answers(near, answers);
    const whole = Buffer.concat(expected);
    const received = receive(far, whole.length);
    out.next();
    expect((await received).equals(whole)).toBe(true);
    await until(() => out.sent === answers.length);
    expect(out.errors).toEqual([]);
    for (const slice of slices) expect([slice.held, slice.mostHeld]).toEqual([0, 1]);
  });

  test('holds one piece for a client that does not read, and goes on when it does', async () => {
    const random = new SeededRandom(7);
    const bytes = randomBytes(random, 64 * 1024 * 1024);
    const slice = new FakeSlice(bytes, random);
    const { near, far } = await connected();
    const out = new Answers(near, [[Buffer.from('head'), slice, Buffer.from('tail')]]);
    out.next();
    // Everything between the two sockets is full: nothing is read any more.
    for (let reads = -1; reads !== slice.reads;) {
      reads = slice.reads;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(out.writer.isStreaming).toBe(true);
    expect(slice.held).toBe(1);
    expect(near.writableLength).toBeLessThanOrEqual(300_000);
    const received = await receive(far, bytes.length + 8);
    expect(received.subarray(0, 4).toString() + received.subarray(-4).toString()).toBe('headtail');
    expect(received.subarray(4, -4).equals(bytes)).toBe(true);
    await until(() => out.sent === 1);
    expect([slice.held, slice.mostHeld]).toEqual([0, 1]);
  });

  test.each([1, 2, 3, 4])('gives all back when the client leaves in the middle (seed %i)', async (seed) => {
    const random = new SeededRandom(seed);
    const slice = new FakeSlice(Buffer.alloc(64 * 1024 * 1024), random);
    const { near, far } = await connected();
    const out = new Answers(near, [[Buffer.from('head'), slice, Buffer.from('tail')]]);
    const leaveAt = 1 + random.nextInt(5);
    slice.onRead = () => {
      if (slice.reads === leaveAt) far.destroy();
    };
    out.next();
    await until(() => out.sent === 1 && slice.held === 0);
    expect(out.errors).toEqual([]);
    expect(out.writer.isStreaming).toBe(false);
  });

  test.each(['at once', 'later'])('tells once of a slice that cannot be read, %s', async (when) => {
    const slice = new FakeSlice(Buffer.alloc(1_000_000), new SeededRandom(1));
    const failure = new Error('The disk is gone');
    const read = slice.pieceAt.bind(slice);
    slice.pieceAt = (at) => {
      if (at === 0) return read(at);
      if (when === 'at once') throw failure;
      return Promise.reject(failure);
    };
    const { near, far } = await connected();
    const out = new Answers(near, [[Buffer.from('head'), slice], [Buffer.from('next')]]);
    far.resume();
    out.next();
    await until(() => out.errors.length > 0 && near.closed);
    expect(out.errors).toEqual([failure]);
    expect([out.sent, slice.held]).toEqual([1, 0]);
  });
});
