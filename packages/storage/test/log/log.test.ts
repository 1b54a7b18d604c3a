import { describe, expect, test } from 'vitest';
import { ALL, batchOf, client, logConfig, offsetsOf, openManager, TP } from '../support/fixtures.ts';
import { temporaryFolder } from '../support/temp-dir.ts';

describe('a log on a real disk', () => {
  test('gives back what was appended, from memory and from the files', async () => {
    const dir = temporaryFolder();
    const manager = await openManager([dir]);
    const log = manager.getOrCreate(TP, 'AAAAAAAAAAAAAAAAAAAAAQ', logConfig({ segmentBytes: 2000 }));
    for (let i = 0; i < 50; i++) log.append(batchOf(3), client);
    expect(log.logEndOffset).toBe(150);
    expect(log.segmentCount).toBeGreaterThan(2);
    const expected = Array.from({ length: 50 }, (_, i) => [i * 3, i * 3 + 2]);
    expect(await offsetsOf(log)).toEqual(expected);
    expect(await log.flush()).toBe(150);
    expect(log.flushedOffset).toBe(150);
    await manager.close();

    const again = await openManager([dir]);
    expect(again.hadCleanShutdown).toBe(true);
    const loaded = again.get(TP)!;
    expect(loaded.topicId).toBe('AAAAAAAAAAAAAAAAAAAAAQ');
    expect([loaded.logStartOffset, loaded.logEndOffset]).toEqual([0, 150]);
    expect(await offsetsOf(loaded)).toEqual(expected);
    expect(await offsetsOf(loaded, 100)).toEqual(expected.slice(33));
    expect(loaded.append(batchOf(1), client).firstOffset).toBe(150);
    await again.close();
  });

  test('respects the bounds of a read', async () => {
    const manager = await openManager([temporaryFolder()]);
    const log = manager.getOrCreate(TP, null, logConfig());
    const size = batchOf(2).length;
    for (let i = 0; i < 10; i++) log.append(batchOf(2), client);
    const cases = [
      { options: { ...ALL, maxBytes: size * 3 + 1 }, next: 6 },
      { options: { ...ALL, maxBytes: 10 }, next: 2 },
      { options: { ...ALL, maxBytes: 10, minOneMessage: false }, next: 0 },
      { options: { ...ALL, upToOffset: 7 }, next: 6 },
    ];
    for (const { options, next } of cases) expect((await log.read(0, options)).nextOffset).toBe(next);
    expect(() => log.read(21, ALL)).toThrow('offset 21');
    await manager.close();
  });
});
