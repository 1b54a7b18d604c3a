import { SeededRandom } from '@ottla/platform';
import { describe, expect, it } from 'vitest';
import { ConsumerSimulation } from './consumer-simulation.ts';

/** Seeds that once failed stay here. */
const SEEDS = Array.from({ length: 40 }, (_, index) => index + 1);
const STEPS = 300;

async function simulate(seed: number, classicClients: number): Promise<void> {
  const simulation = new ConsumerSimulation(new SeededRandom(seed), classicClients);
  await simulation.start();
  for (let step = 0; step < STEPS; step++) {
    await simulation.step();
    expect(simulation.violations(), `seed ${seed}, step ${step}: ${simulation.lastAction}`).toEqual([]);
  }
  await simulation.heal();
  expect(simulation.violations(), `seed ${seed}, after healing`).toEqual([]);
  expect(simulation.unanswered(), `seed ${seed}: callers without an answer`).toBe(0);
}

describe('consumer group simulation', () => {
  it.each(SEEDS)('seed %i: invariants hold under failed writes, timeouts and restarts', (seed) =>
    simulate(seed, 0),
  );
});

describe('simulation of a group that migrates between the protocols', () => {
  it.each(SEEDS)('seed %i: invariants hold while members of both come and go', (seed) =>
    simulate(seed, 1 + (seed % 4)),
  );
});
