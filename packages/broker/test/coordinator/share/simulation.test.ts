import { SeededRandom } from '@ottla/platform';
import { describe, expect, it } from 'vitest';
import { ShareSimulation } from './share-simulation.ts';
import { ShareStateSimulation } from './share-state-simulation.ts';

const SEED_COUNT = Number(process.env['OTTLA_SEEDS'] ?? 20);
/** Seeds that once failed stay here. */
const SEEDS = [...Array.from({ length: SEED_COUNT }, (_, index) => index + 1), 132];
const STEPS = 400;

describe('share group simulation', () => {
  it.each(SEEDS)(
    'seed %i: nothing accepted comes again and nothing is lost under failed writes and restarts',
    { timeout: 60_000 },
    async (seed) => {
      const simulation = new ShareSimulation(new SeededRandom(seed));
      await simulation.start();
      for (let step = 0; step < STEPS; step++) {
        await simulation.step();
        expect(simulation.model.problems, `seed ${seed}, step ${step}: ${simulation.lastAction}`).toEqual([]);
      }
      await simulation.drain();
      expect(simulation.model.problems, `seed ${seed}, at the end`).toEqual([]);
      // The run has to have been about something.
      expect(simulation.model.acceptedCount, `seed ${seed}`).toBeGreaterThan(20);
    },
  );
});

describe('share coordinator simulation', () => {
  it.each(SEEDS)(
    'seed %i: states only move on, under failed writes, pruning and restarts',
    { timeout: 60_000 },
    async (seed) => {
      const simulation = new ShareStateSimulation(new SeededRandom(seed));
      await simulation.start();
      for (let step = 0; step < STEPS; step++) {
        await simulation.step();
        expect(simulation.problems, `seed ${seed}, step ${step}: ${simulation.lastAction}`).toEqual([]);
      }
      await simulation.heal();
      expect(simulation.problems, `seed ${seed}, after healing`).toEqual([]);
      expect(simulation.doneCount, `seed ${seed}`).toBeGreaterThan(5);
    },
  );
});
