import { expect, test } from 'vitest';
import { DirectoriesModel } from '../support/directories-model.ts';

/** Pinned seeds first; more with OTTLA_SEEDS=n, one with OTTLA_SEED=s. */
const only = process.env['OTTLA_SEED'];
const count = Number(process.env['OTTLA_SEEDS'] ?? 15);
const seeds = only === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [Number(only)];
const STEPS = 250;

test('what was durable is there after every start, whatever is moved, deleted and created anew', async () => {
  let moves = 0;
  for (const seed of seeds) {
    try {
      const model = new DirectoriesModel(seed);
      await model.start();
      for (let i = 0; i < STEPS; i++) await model.step();
      await model.restart('clean');
      moves += model.moves;
    } catch (error) {
      throw new Error(`Failed with seed ${seed}: run again with OTTLA_SEED=${seed}`, { cause: error });
    }
  }
  expect(moves).toBeGreaterThan(0);
}, 600_000);
