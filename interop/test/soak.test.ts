import { describe, expect, test } from 'vitest';
import { missing, scenarios } from '../src/index.ts';
import { interop } from './support.ts';

const ROUNDS = 4;
const reasons = new Map(
  await Promise.all(
    Object.entries(scenarios).map(async ([name, each]) => [name, await missing(each)] as const),
  ),
);

/** A few rounds of what `npm run soak` does for hours; Kafka itself is not what is being tested here. */
describe.skipIf(interop.kind !== 'ottla')(
  'a broker that is hurt under acknowledged writes loses nothing',
  () => {
    for (const [name, scenario] of Object.entries(scenarios)) {
      const reason = reasons.get(name) ?? null;
      test.skipIf(reason !== null)(
        reason === null ? scenario.about : `${scenario.about} (skipped: ${reason})`,
        { timeout: 180_000 },
        async () => {
          const verdict = await scenario.run({ rounds: ROUNDS, say: () => {} });
          expect(verdict).toMatchObject({ lost: 0, wrong: 0 });
          expect(verdict.acknowledged).toBeGreaterThan(ROUNDS * 20);
        },
      );
    }
  },
);
