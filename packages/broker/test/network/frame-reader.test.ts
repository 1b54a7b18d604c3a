import { SeededRandom } from '@ottla/platform';
import type { RecordMemory, RecordRoom } from '@ottla/storage';
import { describe, expect, test } from 'vitest';
import { FrameBudget } from '../../src/network/frame-budget.ts';
import { FrameMemory, LANDING_BYTES } from '../../src/network/frame-memory.ts';
import { FrameError, FrameReader } from '../../src/network/frame-reader.ts';

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

/** Gives rooms of one block, and spoils what is given back. */
class SpoilingMemory implements RecordMemory {
  readonly #block = Buffer.alloc(64 * 1024 * 1024);
  #used = 0;
  heldRooms = 0;

  takeRoom(bytes: number): RecordRoom | null {
    const end = this.#used + bytes;
    if (bytes > 1_100_000 || end > this.#block.length) return null;
    const buffer = this.#block.subarray(this.#used, end);
    this.#used = end;
    this.heldRooms++;
    return {
      buffer,
      release: () => {
        this.heldRooms--;
        buffer.fill(0xff);
      },
    };
  }
}

/** Feeds the stream as sockets do: each read fills at most the buffer that the reader gave for it. */
function feed(reader: FrameReader, stream: Buffer, readSize: (room: number) => number): void {
  for (let at = 0; at < stream.length;) {
    const target = reader.nextBuffer();
    const count = Math.min(readSize(target.length), target.length, stream.length - at);
    stream.copy(target, 0, at, at + count);
    reader.receive(target, count);
    at += count;
    while (reader.isHolding) reader.resume();
  }
}

describe('FrameReader', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('delivers the same frames however reads cut them (seed %i)', (seed) => {
    const random = new SeededRandom(seed);
    const rooms = new SpoilingMemory();
    const memory = new FrameMemory(new FrameBudget(64 * 1024 * 1024), rooms);
    const sizes = [1, 10, 1000, 70_000, LANDING_BYTES - 4, LANDING_BYTES, 1_500_000, 5_000_000];
    // Two connections in turns over the same memory: neither may see the other's bytes.
    const bodies = [0, 1].map((who) =>
      Array.from({ length: 12 }, (_, index) =>
        patterned(sizes[random.nextInt(sizes.length)]!, seed + index * 7 + who),
      ),
    );
    const received: Buffer[][] = [[], []];
    const readers = [0, 1].map(
      (who) =>
        new FrameReader(memory, MAX_FRAME_BYTES, (frame) => {
          // Now and then the frame has to wait; nothing is lost, and nothing comes twice.
          if (random.chance(0.3)) return false;
          received[who]!.push(Buffer.from(frame));
          return true;
        }),
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
    expect([memory.budget.usedBytes, rooms.heldRooms]).toEqual([0, 0]);
  });

  test('delivers what came before a broken length, then refuses', () => {
    const frames: string[] = [];
    const reader = new FrameReader(
      new FrameMemory(new FrameBudget(1), null),
      100,
      (frame) => frames.push(frame.toString()) > 0,
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
    const reader = new FrameReader(new FrameMemory(new FrameBudget(1), null), 100, () => true);
    const head = Buffer.alloc(4);
    head.writeInt32BE(length, 0);
    expect(() => reader.receive(head, 4)).toThrow(`Frame length ${length} is outside 1 to 100`);
  });

  test('takes memory for what arrived, not for what was announced', () => {
    const reader = new FrameReader(new FrameMemory(new FrameBudget(1), null), MAX_FRAME_BYTES, () => true);
    const head = Buffer.alloc(4);
    head.writeInt32BE(MAX_FRAME_BYTES, 0);
    reader.receive(head, 4);
    expect(reader.nextBuffer().length).toBeLessThanOrEqual(64 * 1024);
  });

  test('a frame that waits stays counted, what follows it comes after it', () => {
    const memory = new FrameMemory(new FrameBudget(8 * 1024 * 1024), null);
    const sizes: number[] = [];
    let isBusy = true;
    const reader = new FrameReader(memory, MAX_FRAME_BYTES, (frame) => {
      if (isBusy) return false;
      return sizes.push(frame.length) > 0;
    });
    const large = framed(patterned(3 * 1024 * 1024, 1));
    for (let at = 0; at < large.length;) {
      const target = reader.nextBuffer();
      const count = large.copy(target, 0, at, at + target.length);
      reader.receive(target, count);
      at += count;
    }
    expect([reader.isHolding, reader.isInFrame]).toEqual([true, false]);
    expect(memory.budget.usedBytes).toBeGreaterThanOrEqual(3 * 1024 * 1024);
    reader.receive(framed(Buffer.from('behind')), 10);
    reader.resume();
    expect(sizes).toEqual([]);
    isBusy = false;
    reader.resume();
    expect(sizes).toEqual([3 * 1024 * 1024, 6]);
    expect([reader.isHolding, memory.budget.usedBytes]).toEqual([false, 0]);
  });

  // All of them together fill the budget when none is complete.
  test('large frames that wait for each other are completed one after the other', () => {
    const memory = new FrameMemory(new FrameBudget(8 * 1024 * 1024), null);
    const done: number[] = [];
    const stream = framed(patterned(6 * 1024 * 1024, 1));
    const connections = Array.from({ length: 6 }, (_, who) => ({
      reader: new FrameReader(memory, MAX_FRAME_BYTES, () => done.push(who) > 0),
      fed: 0,
    }));
    let largest = 0;
    for (let round = 0; done.length < connections.length; round++) {
      expect(round).toBeLessThan(1000);
      for (const connection of connections) {
        const { reader } = connection;
        if (connection.fed === stream.length || (reader.isBlocked && !reader.unblock())) continue;
        const target = reader.nextBuffer();
        const room = Math.min(target.length, 256 * 1024);
        const count = stream.copy(target, 0, connection.fed, connection.fed + room);
        reader.receive(target, count);
        connection.fed += count;
        largest = Math.max(largest, memory.budget.usedBytes);
      }
    }
    expect(largest).toBeLessThanOrEqual((8 + 6) * 1024 * 1024);
    expect(memory.budget.usedBytes).toBe(0);
  });
});
