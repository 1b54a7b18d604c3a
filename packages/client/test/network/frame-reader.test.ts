import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BrokenProtocolError } from '../../src/errors/client-errors.ts';
import { FrameReader } from '../../src/network/frame-reader.ts';

const MAX_BYTES = 8 * 1024 * 1024;

function frameOf(correlationId: number, body: Uint8Array): Buffer {
  const frame = Buffer.alloc(8 + body.length);
  frame.writeInt32BE(4 + body.length, 0);
  frame.writeInt32BE(correlationId, 4);
  frame.set(body, 8);
  return frame;
}

/** Feeds a stream in pieces of these sizes, as a socket does: into the reader's own buffer, or one of its own. */
function feed(stream: Buffer, sizes: readonly number[], isDirect: boolean): Buffer[] {
  const frames: Buffer[] = [];
  const reader = new FrameReader(
    { checkHead: () => {}, takeFrame: (frame) => frames.push(frame) },
    MAX_BYTES,
  );
  let at = 0;
  for (let piece = 0; at < stream.length; piece += 1) {
    const size = Math.max(1, sizes[piece % sizes.length] ?? stream.length);
    if (isDirect) {
      const target = reader.nextBuffer();
      const count = stream.copy(target, 0, at, Math.min(at + size, at + target.length));
      at += count;
      reader.receive(target, count);
    } else {
      const chunk = Buffer.from(stream.subarray(at, at + size));
      at += chunk.length;
      reader.receive(chunk, chunk.length);
    }
  }
  expect(reader.isInFrame).toBe(false);
  return frames;
}

describe('frame reader', () => {
  test('frames come out whole however the bytes arrive, and do not share memory that is used again', () => {
    const frames = fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 20 });
    const sizes = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(frames, sizes, fc.boolean(), (bodies, pieces, isDirect) => {
        const stream = Buffer.concat(bodies.map((body, id) => frameOf(id, body)));
        const out = feed(stream, pieces, isDirect);
        expect(out.map((frame) => frame.readInt32BE(0))).toEqual(bodies.map((_, id) => id));
        expect(out.map((frame) => frame.subarray(4).toString('hex'))).toEqual(
          bodies.map((body) => Buffer.from(body).toString('hex')),
        );
      }),
    );
  });

  test.each([true, false])(
    'a frame of megabytes in reads of 64 KiB is one buffer (own buffers: %s)',
    (isDirect) => {
      const body = Buffer.alloc(5 * 1024 * 1024, 7);
      const stream = Buffer.concat([
        frameOf(1, Buffer.alloc(10)),
        frameOf(2, body),
        frameOf(3, Buffer.alloc(3)),
      ]);
      const out = feed(stream, [65_536], isDirect);
      expect(out.map((frame) => frame.length)).toEqual([14, body.length + 4, 7]);
      expect(out[1]!.subarray(4).equals(body)).toBe(true);
    },
  );

  test('memory for a large frame grows with what arrives, not with what is announced', () => {
    const reader = new FrameReader({ checkHead: () => {}, takeFrame: () => {} }, 256 * 1024 * 1024);
    const head = Buffer.alloc(8);
    head.writeInt32BE(200 * 1024 * 1024, 0);
    reader.receive(head, head.length);
    expect(reader.nextBuffer().length).toBeLessThan(1024 * 1024);
  });

  test.each([
    ['HTTP/1.1 400 Bad Request', 'HTTP'],
    ['SSH-2.0-OpenSSH', 'SSH'],
    ['\u0015\u0003\u0003\u0000\u0002\u0002\u0028', 'TLS'],
    ['+OK\r\nwelcome', 'text protocol'],
    ['\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000', 'announces 0 bytes'],
    ['\u00ff\u00ff\u00ff\u00ff\u0000\u0000\u0000\u0000', 'announces -1 bytes'],
  ])('%j is no response', (text, reason) => {
    const reader = new FrameReader({ checkHead: () => {}, takeFrame: () => {} }, MAX_BYTES);
    const bytes = Buffer.from(text, 'latin1');
    expect(() => reader.receive(bytes, bytes.length)).toThrow(BrokenProtocolError);
    expect(() => reader.receive(bytes, bytes.length)).toThrow(reason);
  });
});
