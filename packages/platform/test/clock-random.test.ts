import { expect, test } from 'vitest';
import { NodeClock, NodeRandom, SeededRandom, SimClock } from '../src/index.ts';

test('a simulated clock fires timers in order of their time, also those set on the way', () => {
  const clock = new SimClock(1000);
  const fired: string[] = [];
  clock.setTimer(20, () => fired.push(`b${clock.nowMs()}`));
  clock.setTimer(10, () => {
    fired.push(`a${clock.nowMs()}`);
    clock.setTimer(5, () => fired.push(`c${clock.nowMs()}`));
  });
  clock.setTimer(12, () => fired.push('never')).cancel();
  clock.advance(19);
  expect(fired).toEqual(['a1010', 'c1015']);
  clock.setWallClock(5);
  clock.advance(1);
  expect(fired.at(-1)).toBe('b6');
  expect(clock.pendingTimers).toBe(0);
});

test('the real clock goes forward and fires timers', async () => {
  const clock = new NodeClock();
  const before = clock.monotonicMs();
  clock.setTimer(0, () => expect.unreachable()).cancel();
  // The test itself keeps the loop alive: a pending timer of the clock does not.
  const keepAlive = setInterval(() => {}, 1000);
  await new Promise<void>((resolve) => clock.setTimer(1, resolve));
  clearInterval(keepAlive);
  expect(clock.monotonicMs()).toBeGreaterThan(before);
});

test('a seed gives the same sequence again, different seeds give different ones', () => {
  const draw = (seed: number): string => {
    const random = new SeededRandom(seed);
    return [random.nextInt(1000), random.nextInt(1000), random.uuid()].join();
  };
  expect(draw(7)).toBe(draw(7));
  expect(new Set([1, 2, 3, 4, 2 ** 40, 2 ** 40 + 1].map(draw)).size).toBe(6);
});

test.each([new NodeRandom(), new SeededRandom(3)])(
  '$constructor.name draws below the bound and makes uuids',
  (random) => {
    for (let i = 0; i < 500; i++) {
      expect(random.nextInt(3)).toBeLessThan(3);
      const uuid = random.uuid();
      expect(uuid).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/);
      expect(Buffer.from(uuid, 'base64url')[6]! >> 4).toBe(4);
    }
    expect(random.nextInt(1)).toBe(0);
  },
);
