import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { connect } from '@ottla/client';
import { expect, test } from 'vitest';
import { bootstrap, unique } from './support.ts';

/** `ottla bench` on the broker under test: what it says went through is what is there. */
const bin = fileURLToPath(new URL('../../packages/ottla/bin/ottla.cjs', import.meta.url));

async function ottla(...args: string[]): Promise<Record<string, unknown>> {
  const child = spawn(process.execPath, [bin, ...args, '-b', bootstrap, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown>;
}

test('a load arrives in whole, is read in whole, and passes one by one; topics that were made are gone', async () => {
  await using client = connect({ bootstrap });
  const admin = client.admin();
  const [topic, single] = [unique('bench'), unique('bench')];
  await admin.topics.create([
    { name: topic, partitions: 3 },
    { name: single, partitions: 1 },
  ]);
  const sent = await ottla('bench', 'produce', topic, '-n', '20000', '-s', '200', '-z', 'zstd');
  expect(sent).toMatchObject({ benchmark: 'produce', topic, records: 20_000, bytes: 4_000_000 });
  const ends = await admin.offsets.list(topic, 'latest');
  expect(ends.reduce((sum, end) => sum + (end.error === null ? end.offset : 0), 0)).toBe(20_000);
  const read = await ottla('bench', 'consume', topic, '-n', '20000', '-g', unique('bench-group'));
  expect(read).toMatchObject({ records: 20_000, bytes: 4_000_000 });
  expect(await ottla('bench', 'e2e', single, '-n', '200')).toMatchObject({ records: 200 });
  await ottla('bench', 'consume', '-n', '1000');
  expect((await admin.topics.list()).filter(({ name }) => name.startsWith('ottla-bench-'))).toEqual([]);
});
