import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { repositoryFolder, runCommand } from '../src/index.ts';
import { absent, interop, javaTools, title } from './support.ts';

/** Instances of each message at each version. */
const COUNT = 6;

interface Vector {
  readonly message: string;
  readonly version: number;
  readonly hex: string;
  readonly json: unknown;
}

/** Fields that a later release than that of the jars, whose specs are declared, has given another name. */
const renamed: Readonly<Record<string, readonly [string, string]>> = {
  TxnOffsetCommitRequest: ['"generationId":', '"generationIdOrMemberEpoch":'],
  StreamsGroupHeartbeatResponse: ['"acceptableRecoveryLag":', '"acceptableRecoveryLagLegacy":'],
};

/** Classes that the declarations name without "Data". */
const headers = /^(Request|Response)HeaderData$/;

/** In the text of a vector, because a name may stand there at any depth. */
function asDeclared(line: string): Vector {
  const { message } = JSON.parse(line) as Vector;
  const [from, to] = renamed[message] ?? ['', ''];
  const vector = JSON.parse(from === '' ? line : line.replaceAll(from, to)) as Vector;
  return headers.test(message) ? { ...vector, message: message.replace(/Data$/, '') } : vector;
}

function libsOf(): string {
  if ('absent' in interop.java) throw new Error(interop.java.absent);
  return interop.java.brokerLibs;
}

describe.skipIf(absent(interop.java))(title('codecs', interop.java), () => {
  test('fresh random messages of every kind and version are read and written as by the official classes', async () => {
    const seed = Math.floor(Math.random() * 1_000_000);
    const libs = libsOf();
    const jars = readdirSync(libs).filter((name) => /^kafka-.*\.jar$/.test(name));
    const args = [String(seed), String(COUNT), ...jars.map((name) => join(libs, name))];
    const { code, out, err } = await javaTools().start('MessageVectors', args).done;
    expect(code, err.slice(-20).join('\n')).toBe(0);
    const byMessage = new Map<string, Vector[]>();
    for (const vector of out.map((line) => asDeclared(line))) {
      if (vector.message === 'QuorumStateData') continue;
      byMessage.set(vector.message, [...(byMessage.get(vector.message) ?? []), vector]);
    }
    const folder = mkdtempSync(join(tmpdir(), 'ottla-vectors-'));
    try {
      for (const [message, vectors] of byMessage)
        writeFileSync(join(folder, `${message}.json`), JSON.stringify({ message, vectors }));
      const checked = await runCommand(
        'node',
        [join(repositoryFolder, 'packages/protocol/scripts/vectors.mjs'), folder],
        { timeoutMs: 60_000 },
      );
      const count = [...byMessage.values()].reduce((sum, vectors) => sum + vectors.length, 0);
      expect(byMessage.size).toBeGreaterThan(250);
      expect(checked.stdout.trim(), `seed ${seed}: ${checked.stderr.slice(0, 3000)}`).toBe(
        `${count} passed, 0 failed`,
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
