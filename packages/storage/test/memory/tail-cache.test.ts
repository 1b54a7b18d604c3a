import { SeededRandom } from '@ottla/platform';
import { encodeBatch } from '@ottla/protocol';
import { expect, test } from 'vitest';
import { LogTail, type RecordRoom, TailCache, type TailRead } from '../../src/memory/tail-cache.ts';

/**
 * Random appends to several logs and reads that are kept for a while: what a reader holds never changes under it,
 * what a log says it has is what was appended, and the bound of the cache holds.
 */
test.each([1, 2, 3, 4])(
  'a cached tail is the end of its log, whatever is evicted meanwhile (seed %i)',
  (seed) => {
    const random = new SeededRandom(seed);
    const maxBytes = 4 * 1024 * 1024;
    const cache = new TailCache(maxBytes);
    const logs = [0, 1, 2].map(() => ({ tail: new LogTail(cache), batches: [] as Buffer[], end: 0 }));
    let held: { read: TailRead; expected: Buffer }[] = [];
    const received: RecordRoom[] = [];
    for (let step = 0; step < 2500; step++) {
      const log = logs[random.nextInt(logs.length)]!;
      if (random.chance(0.7)) {
        const valueBytes = random.chance(0.1) ? random.nextInt(200_000) : random.nextInt(3000);
        const batch = encodeBatch({
          baseOffset: log.end,
          records: [{ timestamp: 1, value: Buffer.alloc(valueBytes, step) }],
        });
        log.batches.push(batch);
        const room = random.chance(0.5) ? cache.takeRoom(batch.length + 100) : null;
        if (room === null) {
          const given = Buffer.from(batch);
          log.tail.append(given, log.end, log.end + 1);
          // The caller's buffer is its own again.
          given.fill(0xff);
        } else {
          // As the network does: received in the middle of a request, and perhaps held while others fill the slab.
          batch.copy(room.buffer, 50);
          received.push(room);
          log.tail.append(room.buffer.subarray(50, 50 + batch.length), log.end, log.end + 1);
          if (random.chance(0.8)) received.splice(random.nextInt(received.length), 1)[0]!.release();
        }
        log.end++;
      } else if (log.tail.startOffset < log.end) {
        const offset = log.tail.startOffset + random.nextInt(log.end - log.tail.startOffset);
        const upToOffset = offset + 1 + random.nextInt(log.end - offset);
        const read = log.tail.read(offset, {
          maxBytes: random.nextInt(400_000),
          upToOffset,
          minOneMessage: true,
        });
        const expected = Buffer.concat(log.batches.slice(offset, read.nextOffset));
        expect(read.nextOffset).toBeGreaterThan(offset);
        expect(read.nextOffset).toBeLessThanOrEqual(upToOffset);
        held.push({ read, expected });
      }
      if (held.length > 10 || step === 2499) {
        for (const { read, expected } of held) {
          expect(Buffer.concat(read.buffers).equals(expected)).toBe(true);
          read.lease.release();
        }
        held = [];
        for (const room of received.splice(0)) room.release();
      }
      expect(cache.bytes).toBeLessThanOrEqual(maxBytes + 2 * 1024 * 1024);
    }
  },
);
