import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startBroker } from '@ottla/testkit';
import { expect, test } from 'vitest';

const folder = new URL('../examples/', import.meta.url);
const isBuilt = existsSync(new URL('../dist/index.js', import.meta.url));

/** What each example prints, in any order. */
const outputs: Readonly<Record<string, readonly string[]>> = {
  'retry-topics.mjs': [
    'ada has paid 12 at attempt 2',
    'bob cannot pay: 12/25',
    'eve has paid 3 at attempt 1',
  ],
};

test('every example is run here', () => {
  expect(readdirSync(folder).sort()).toEqual(Object.keys(outputs));
});

test.runIf(isBuilt).each(Object.entries(outputs))('%s runs as users run it', async (name, lines) => {
  await using kafka = await startBroker();
  const env = { ...process.env, KAFKA_BROKERS: kafka.bootstrap };
  const child = spawn(process.execPath, [fileURLToPath(new URL(name, folder))], { env });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(output.trim().split('\n').sort()).toEqual(lines);
  expect(code).toBe(0);
});
