import { expect, test } from 'vitest';
import { LogModel } from '../support/log-model.ts';

/** Pinned seeds first; more with OTTLA_SEEDS=n, one with OTTLA_SEED=s. */
const only = process.env['OTTLA_SEED'];
const count = Number(process.env['OTTLA_SEEDS'] ?? 25);
const seeds = only === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [Number(only)];
const STEPS = 150;

test('a recovered log is a prefix that holds everything acknowledged as durable', async () => {
  for (const seed of seeds) {
    try {
      const model = new LogModel(seed);
      await model.start();
      for (let i = 0; i < STEPS; i++) await model.step();
      await model.restart('clean');
    } catch (error) {
      throw new Error(`Failed with seed ${seed}: run again with OTTLA_SEED=${seed}`, { cause: error });
    }
  }
  expect(seeds.length).toBeGreaterThan(0);
}, 600_000);
