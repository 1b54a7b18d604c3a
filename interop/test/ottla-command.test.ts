import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { bootstrap, unique } from './support.ts';

/** The `ottla` command on the broker under test: the same on Ottla and on Apache Kafka. */
const bin = fileURLToPath(new URL('../../packages/ottla/bin/ottla.cjs', import.meta.url));

async function ottla(
  args: readonly string[],
  input = '',
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [bin, ...args, '-b', bootstrap]);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, stdout, stderr };
}

test('the command creates a topic, fills it, reads it, moves a group on it and deletes it', async () => {
  const topic = unique('command');
  const group = unique('command-group');
  expect((await ottla(['topics', 'create', topic, '-p', '1', '-r', '1'])).code).toBe(0);
  expect((await ottla(['topics', 'create', topic])).stderr).toMatch(/^ottla: TOPIC_ALREADY_EXISTS: /);
  const lines = Array.from({ length: 1000 }, (_, i) => `k${i}:v${i}\n`).join('');
  expect(await ottla(['produce', topic, '-K', ':', '-z', 'zstd'], lines)).toMatchObject({
    code: 0,
    stderr: `ottla: 1000 records stored in "${topic}"\n`,
  });
  const read = await ottla(['consume', topic, '-o', 'beginning', '-e', '-f', '%k:%s\\n']);
  expect(read.stdout).toBe(lines);
  expect((await ottla(['consume', topic, '-o', '-2', '-e'])).stdout).toBe('v998\nv999\n');
  expect(
    (await ottla(['groups', 'reset-offsets', group, '-t', topic, '--to-offset', '7', '--execute'])).code,
  ).toBe(0);
  const described = await ottla(['groups', 'describe', group, '--jsonl']);
  expect(JSON.parse(described.stdout)).toMatchObject({ committed: 7, logEndOffset: 1000, lag: 993 });
  expect((await ottla(['groups', 'delete', group])).code).toBe(0);
  expect((await ottla(['configs', 'alter', 'topic', topic, '--set', 'retention.ms=5000'])).code).toBe(0);
  expect((await ottla(['configs', 'describe', 'topic', topic])).stdout).toMatch(/^retention\.ms +5000 /m);
  expect((await ottla(['topics', 'delete', topic])).code).toBe(0);
});

test('records go from a topic to its copy as JSON, and a group reads them once', async () => {
  const [topic, copy] = [unique('command'), unique('command')];
  const group = unique('command-group');
  for (const name of [topic, copy])
    expect((await ottla(['topics', 'create', name, '-p', '3', '-r', '1'])).code).toBe(0);
  const lines = Array.from({ length: 300 }, (_, i) => `k${i}:v${i}\n`).join('');
  expect((await ottla(['produce', topic, '-K', ':', '-H', 'from=test', '-z', 'lz4'], lines)).code).toBe(0);
  const json = await ottla(['consume', topic, '-o', 'beginning', '-e', '--jsonl']);
  expect((await ottla(['produce', copy, '--jsonl'], json.stdout)).code).toBe(0);
  const format = ['-f', '%p %o %T %k %s %h\\n'];
  const all = await ottla(['consume', topic, '-o', 'beginning', '-e', ...format]);
  const copied = await ottla(['consume', copy, '-g', group, '-o', 'beginning', '-e', ...format]);
  const sorted = (text: string): string[] => text.split('\n').toSorted();
  expect(sorted(copied.stdout)).toEqual(sorted(all.stdout));
  expect(sorted(copied.stdout)).toHaveLength(301);
  expect(await ottla(['consume', copy, '-g', group, '-e'])).toEqual({ code: 0, stdout: '', stderr: '' });
});

test('leaders are elected and replicas moved, and what cannot be is refused', async () => {
  const topic = unique('command');
  expect((await ottla(['topics', 'create', topic, '-p', '1', '-r', '1'])).code).toBe(0);
  const elected = await ottla(['topics', 'elect-leaders', topic, '--jsonl']);
  expect(JSON.parse(elected.stdout)).toEqual({ topic, partition: 0, elected: false });
  expect((await ottla(['topics', 'elect-leaders', topic, '-p', '9'])).stderr).toMatch(
    /^ottla: UNKNOWN_TOPIC_OR_PARTITION: /,
  );
  const reassign = (...args: string[]) => ottla(['topics', 'reassign', topic, '0', ...args]);
  expect(await reassign('1')).toEqual({ code: 0, stdout: '', stderr: '' });
  expect((await reassign('1,9')).stderr).toMatch(/^ottla: INVALID_REPLICA_ASSIGNMENT: /);
  expect((await reassign('--cancel')).stderr).toMatch(/^ottla: NO_REASSIGNMENT_IN_PROGRESS: /);
  expect(await ottla(['topics', 'reassignments'])).toEqual({ code: 0, stdout: '', stderr: '' });
});
