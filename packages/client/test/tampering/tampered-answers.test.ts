import { describe, expect, test } from 'vitest';
import { administers, consumes, produces, shares, topics, transacts } from './programs.ts';
import { tamperedRun, type TamperedRun, type TamperingCounts } from './tampered-run.ts';
import type { TamperKind } from './seeded-tamper.ts';

/** Seeds for each program. More: OTTLA_TAMPER_SEEDS=500; others: OTTLA_TAMPER_SEEDS=500@1000. */
const [count, first] = (process.env['OTTLA_TAMPER_SEEDS'] ?? '3@0').split('@').map(Number);
/** Runs wait for timeouts most of the time: several share the machine. */
const AT_ONCE = 8;
let running = 0;
const waiting: (() => void)[] = [];

async function inTurn(work: () => Promise<void>): Promise<void> {
  if (running === AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  else running += 1;
  try {
    await work();
  } finally {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }
}

const programs: readonly (readonly [string, (run: TamperedRun) => Promise<void>])[] = [
  ['a producer', produces],
  ['a consumer of a classic group', consumes('classic')],
  ['a consumer of a consumer group', consumes('consumer')],
  ['a share consumer', shares],
  ['an admin', administers],
  ['a producer with transactions', transacts],
];

describe.concurrent.each(programs)('%s', (name, program) => {
  test.each(['wire', 'lies'] as const)(
    'survives answers that are tampered with (%s)',
    async (kind: TamperKind) => {
      const counts: TamperingCounts = { runs: 0, answers: 0, tampered: 0, calls: 0, failed: 0 };
      const seeds = Array.from({ length: count! }, (_, index) => (first ?? 0) + index);
      await Promise.all(
        seeds.map((seed) => inTurn(() => tamperedRun({ seed, kind, topics }, program, counts))),
      );
      expect(counts.runs).toBe(count);
      expect(counts.tampered).toBeGreaterThan(0);
      if (process.env['OTTLA_TAMPER_SEEDS'] !== undefined)
        process.stderr.write(`${name}, ${kind}: ${JSON.stringify(counts)}\n`);
    },
    60_000 + 30_000 * count!,
  );
});
