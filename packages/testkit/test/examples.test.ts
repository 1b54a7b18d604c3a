import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const isBuilt = existsSync(new URL('../dist/index.js', import.meta.url));

// The example for vitest is part of this very run.
test.runIf(isBuilt)('the example for node:test passes as users run it', async () => {
  const file = fileURLToPath(new URL('../examples/node-test.test.mjs', import.meta.url));
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, ['--test', '--test-reporter=tap', file], { env });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(output).toContain('# pass 2');
  expect(code).toBe(0);
});
