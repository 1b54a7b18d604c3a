import { expect, test } from 'vitest';
import { CompactionModel } from '../support/compaction-model.ts';

/** Pinned seeds first; more with OTTLA_SEEDS=n, one with OTTLA_SEED=s. */
const only = process.env['OTTLA_SEED'];
const count = Number(process.env['OTTLA_SEEDS'] ?? 25);
const seeds = only === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [Number(only)];
const STEPS = 200;

test('a compacted log says of every key what was written last, through crashes, power cuts and disk errors', async () => {
  let compactions = 0;
  for (const seed of seeds) {
    try {
      const model = new CompactionModel(seed);
      await model.start();
      for (let i = 0; i < STEPS; i++) await model.step();
      await model.finish();
      compactions += model.compactions;
    } catch (error) {
      throw new Error(`Failed with seed ${seed}: run again with OTTLA_SEED=${seed}`, { cause: error });
    }
  }
  expect(compactions).toBeGreaterThan(seeds.length);
}, 600_000);
