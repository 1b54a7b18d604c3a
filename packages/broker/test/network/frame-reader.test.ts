import { SeededRandom } from '@ottla/platform';
import { describe, expect, test } from 'vitest';
import { FrameBudget } from '../../src/network/frame-budget.ts';
import { FrameError, FrameMemory, FrameReader, LANDING_BYTES } from '../../src/network/frame-reader.ts';

const MAX_FRAME_BYTES = 8 * 1024 * 1024;

function framed(body: Buffer): Buffer {
  const frame = Buffer.alloc(4 + body.length);
  frame.writeInt32BE(body.length, 0);
  body.copy(frame, 4);
  return frame;
}

function patterned(size: number, seed: number): Buffer {
  const body = Buffer.alloc(size);
  for (let i = 0; i < size; i++) body[i] = (i * 31 + seed) & 0xff;
  return body;
}

/** Feeds the stream as sockets do: each read fills at most the buffer that the reader gave for it. */
function feed(reader: FrameReader, stream: Buffer, readSize: (room: number) => number): void {
  for (let at = 0; at < stream.length;) {
    const target = reader.nextBuffer();
    const count = Math.min(readSize(target.length), target.length, stream.length - at);
    stream.copy(target, 0, at, at + count);
    reader.receive(target, count);
    at += count;
  }
}

describe('FrameReader', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('delivers the same frames however reads cut them (seed %i)', (seed) => {
    const random = new SeededRandom(seed);
    const memory = new FrameMemory(new FrameBudget(64 * 1024 * 1024));
    const sizes = [1, 10, 1000, 70_000, LANDING_BYTES - 4, LANDING_BYTES, 1_500_000, 5_000_000];
    // Two connections in turns over the same memory: neither may see the other's bytes.
    const bodies = [0, 1].map((who) =>
      Array.from({ length: 12 }, (_, index) =>
        patterned(sizes[random.nextInt(sizes.length)]!, seed + index * 7 + who),
      ),
    );
    const received: Buffer[][] = [[], []];
    const readers = [0, 1].map(
      (who) => new FrameReader(memory, MAX_FRAME_BYTES, (frame) => received[who]!.push(Buffer.from(frame))),
    );
    for (let index = 0; index < 12; index++) {
      for (const who of [0, 1]) {
        const largest = [3, 1000, 65_536, Number.MAX_SAFE_INTEGER][random.nextInt(4)]!;
        const size = bodies[who]![index]!.length;
        feed(
          readers[who]!,
          framed(bodies[who]![index]!),
          (room) => 1 + random.nextInt(Math.min(room, Math.max(largest, size / 50))),
        );
      }
    }
    for (const who of [0, 1]) {
      expect(received[who]!.length).toBe(12);
      for (let i = 0; i < 12; i++) expect(received[who]![i]!.equals(bodies[who]![i]!)).toBe(true);
      expect(readers[who]!.isInFrame).toBe(false);
    }
    expect(memory.budget.usedBytes).toBe(0);
  });

  test('delivers what came before a broken length, then refuses', () => {
    const frames: string[] = [];
    const reader = new FrameReader(new FrameMemory(new FrameBudget(1)), 100, (frame) =>
      frames.push(frame.toString()),
    );
    const stream = Buffer.concat([
      framed(Buffer.from('one')),
      framed(Buffer.from('two')),
      Buffer.from([0xff, 0xff, 0xff, 0xff]),
    ]);
    expect(() => feed(reader, stream, (room) => room)).toThrow(FrameError);
    expect(frames).toEqual(['one', 'two']);
  });

  test.each([-1, 0, 101, 0x7fffffff])('refuses the length %i without taking memory', (length) => {
    const reader = new FrameReader(new FrameMemory(new FrameBudget(1)), 100, () => {});
    const head = Buffer.alloc(4);
    head.writeInt32BE(length, 0);
    expect(() => reader.receive(head, 4)).toThrow(`Frame length ${length} is outside 1 to 100`);
  });

  test('takes memory for what arrived, not for what was announced', () => {
    const reader = new FrameReader(new FrameMemory(new FrameBudget(1)), MAX_FRAME_BYTES, () => {});
    const head = Buffer.alloc(4);
    head.writeInt32BE(MAX_FRAME_BYTES, 0);
    reader.receive(head, 4);
    expect(reader.nextBuffer().length).toBeLessThanOrEqual(64 * 1024);
  });

  test('a large frame waits for memory that another one holds', () => {
    const memory = new FrameMemory(new FrameBudget(4 * 1024 * 1024));
    const done: string[] = [];
    const [first, second] = ['first', 'second'].map(
      (name) => new FrameReader(memory, MAX_FRAME_BYTES, () => done.push(name)),
    ) as [FrameReader, FrameReader];
    const stream = framed(patterned(4 * 1024 * 1024, 1));
    const half = stream.subarray(0, 2 * 1024 * 1024);
    feed(first, half, (room) => room);
    let fed = 0;
    for (; !second.isBlocked;) {
      const target = second.nextBuffer();
      const count = stream.copy(target, 0, fed, Math.min(stream.length, fed + target.length));
      second.receive(target, count);
      fed += count;
    }
    expect(fed).toBeLessThan(stream.length);
    feed(first, stream.subarray(half.length), (room) => room);
    expect(done).toEqual(['first']);
    expect(second.unblock()).toBe(true);
    feed(second, stream.subarray(fed), (room) => room);
    expect(done).toEqual(['first', 'second']);
  });
});
