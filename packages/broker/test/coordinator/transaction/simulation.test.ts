import { SeededRandom } from '@ottla/platform';
import { describe, expect, it } from 'vitest';
import { TransactionSimulation } from './transaction-simulation.ts';

/** Seeds that once failed stay here. */
const SEEDS = Array.from({ length: 20 }, (_, index) => index + 1);
const STEPS = 300;

describe('transaction simulation', () => {
  it.each(SEEDS)(
    'seed %i: every transaction is whole or absent under failed writes, timeouts and power cuts',
    async (seed) => {
      const simulation = new TransactionSimulation(new SeededRandom(seed));
      await simulation.start();
      for (let step = 0; step < STEPS; step++) {
        await simulation.step();
        const where = `seed ${seed}, step ${step}: ${simulation.lastAction}`;
        expect(await simulation.violations(), where).toEqual([]);
      }
      await simulation.heal();
      expect(await simulation.violations(), `seed ${seed}, after healing`).toEqual([]);
      expect(await simulation.finalViolations(), `seed ${seed}, after healing`).toEqual([]);
      // The run has to have been about something.
      expect(simulation.counts.committed + simulation.counts.aborted, `seed ${seed}`).toBeGreaterThan(5);
    },
  );
});
