import { parseArgs } from 'node:util';
import { missing, scenarios } from './scenarios.ts';

const usage = `npm run soak -- [scenario ...] [--rounds N]
${Object.entries(scenarios)
  .map(([name, { about, defaultRounds }]) => `  ${name.padEnd(18)}${about}; ${defaultRounds} rounds`)
  .join('\n')}
Each ends with a line of JSON; the exit code is 1 when anything acknowledged was lost.
`;

/** Runs the scenarios that were named, or all of them, one after the other. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { rounds: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false } },
  });
  const names = positionals.length > 0 ? positionals : Object.keys(scenarios);
  const unknown = names.find((name) => scenarios[name] === undefined);
  if (values.help || unknown !== undefined) {
    process.stderr.write(unknown === undefined ? usage : `Unknown scenario "${unknown}"\n${usage}`);
    return values.help ? 0 : 1;
  }
  let failures = 0;
  for (const name of names) {
    const scenario = scenarios[name]!;
    const reason = await missing(scenario);
    if (reason !== null) {
      process.stderr.write(`  ${name} skipped: ${reason}\n`);
      continue;
    }
    const rounds = Number(values.rounds ?? scenario.defaultRounds);
    const begun = performance.now();
    const verdict = await scenario.run({ rounds, say: (line) => process.stderr.write(`  ${line}\n`) });
    if (verdict.lost + verdict.wrong > 0) failures += 1;
    const seconds = Math.round((performance.now() - begun) / 1000);
    process.stdout.write(`${JSON.stringify({ scenario: name, rounds, ...verdict, seconds })}\n`);
  }
  return failures === 0 ? 0 : 1;
}

process.exitCode = await main();
