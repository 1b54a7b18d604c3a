import { expect, test } from 'vitest';
import { SharePartitionSimulation } from './share-partition-simulation.ts';

const SEEDS = Number(process.env['OTTLA_SEEDS'] ?? 200);

test('a share partition under random members, refused writes, restarts and a moving log keeps its word', () => {
  let accepted = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const simulation = new SharePartitionSimulation(seed);
    try {
      simulation.run(400);
    } catch (error) {
      throw new Error(`Seed ${seed}: ${String(error)}`, { cause: error });
    }
    accepted += simulation.acceptedCount;
  }
  // The simulation is worth something only when records come through.
  expect(accepted).toBeGreaterThan(SEEDS * 50);
});
