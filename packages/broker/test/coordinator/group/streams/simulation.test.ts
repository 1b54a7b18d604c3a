import { SeededRandom } from '@ottla/platform';
import { describe, expect, it } from 'vitest';
import { StreamsSimulation } from './streams-simulation.ts';

/** Seeds that once failed stay here. */
const SEEDS = Array.from({ length: 40 }, (_, index) => index + 1);
const STEPS = 300;

describe('streams group simulation', () => {
  it.each(SEEDS)('seed %i: invariants hold under failed writes, timeouts and restarts', async (seed) => {
    const simulation = new StreamsSimulation(new SeededRandom(seed), {
      numStandbyReplicas: seed % 3,
      initialRebalanceDelayMs: seed % 2 === 0 ? 0 : 60,
    });
    await simulation.start();
    for (let step = 0; step < STEPS; step++) {
      await simulation.step();
      expect(simulation.violations(), `seed ${seed}, step ${step}: ${simulation.lastAction}`).toEqual([]);
    }
    await simulation.heal();
    expect(simulation.violations(), `seed ${seed}, after healing`).toEqual([]);
    expect(simulation.unanswered(), `seed ${seed}: callers without an answer`).toBe(0);
  });
});
