import { SeededRandom } from '@ottla/platform';
import { expect, test } from 'vitest';
import { Fifo } from '../../../src/coordinator/runtime/fifo.ts';

test('it is as a list whose first is taken away', () => {
  const random = new SeededRandom(1);
  const fifo = new Fifo<number>();
  let list: number[] = [];
  for (let i = 0; i < 10_000; i++) {
    const dice = random.nextInt(100);
    if (dice === 0) {
      fifo.clear();
      list = [];
    } else if (dice < 55) {
      fifo.push(i);
      list.push(i);
    } else {
      fifo.shift();
      list.shift();
    }
    expect([fifo.first, fifo.isEmpty]).toEqual([list[0], list.length === 0]);
  }
});
