import { SimClock } from '@ottla/platform';
import { describe, expect, test } from 'vitest';
import { firstSuccess } from '../../src/cluster/first-success.ts';

const options = { patienceMs: 1_000, isFinal: (error: unknown) => String(error).includes('final') };

/** Attempts that the test ends, in the order in which they began. */
function attempts() {
  const begun: { item: string; resolve: (value: string) => void; reject: (error: Error) => void }[] = [];
  const attempt = (item: string): Promise<string> =>
    new Promise((resolve, reject) => begun.push({ item, resolve, reject }));
  return { begun, attempt };
}

const turn = (): Promise<void> => new Promise(setImmediate);

describe('the first success', () => {
  test('one that fails makes way at once, one that is silent after a while; the first answer counts', async () => {
    const clock = new SimClock();
    const { begun, attempt } = attempts();
    const result = firstSuccess(clock, ['a', 'b', 'c'], options, attempt);
    begun[0]!.reject(new Error('refused'));
    await turn();
    expect(begun.map(({ item }) => item)).toEqual(['a', 'b']);
    clock.advance(999);
    expect(begun).toHaveLength(2);
    clock.advance(1);
    expect(begun.map(({ item }) => item)).toEqual(['a', 'b', 'c']);
    begun[2]!.resolve('from c');
    expect(await result).toBe('from c');
    begun[1]!.reject(new Error('late'));
    await turn();
    expect(clock.pendingTimers).toBe(0);
  });

  test('when all fail, the last failure; a final one ends it at once', async () => {
    const clock = new SimClock();
    const { begun, attempt } = attempts();
    const failing = firstSuccess(clock, ['a', 'b'], options, attempt);
    clock.advance(1_000);
    begun[1]!.reject(new Error('from b'));
    await turn();
    begun[0]!.reject(new Error('from a'));
    await expect(failing).rejects.toThrow('from a');
    const stopped = firstSuccess(clock, ['a', 'b'], options, () => Promise.reject(new Error('final')));
    await expect(stopped).rejects.toThrow('final');
    expect(clock.pendingTimers).toBe(0);
  });
});
