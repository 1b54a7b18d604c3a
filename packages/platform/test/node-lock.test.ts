import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NodeDisk } from '../src/index.ts';

let root: string;
beforeEach(() => (root = mkdtempSync(path.join(tmpdir(), 'ottla-lock-'))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** What may stand in a lock file that nobody holds. */
const stale = [
  { name: 'of a process that is gone', content: '4194999 12345\n' },
  { name: 'of an earlier process with the same id', content: `${process.ppid} 1\n` },
  { name: 'that a Kafka broker left (it is empty)', content: '' },
  { name: 'with garbage', content: 'x y z' },
];

test.each(stale)('a lock file $name is taken over', ({ content }) => {
  const file = path.join(root, '.lock');
  writeFileSync(file, content);
  expect(new NodeDisk().isLockedSync(file)).toBe(false);
  const lock = new NodeDisk().lockSync(file);
  expect(lock).not.toBe(false);
  expect(readFileSync(file, 'utf8').split(' ')[0]).toBe(String(process.pid));
});

test('a lock file of a living process is respected', () => {
  const file = path.join(root, '.lock');
  const stat = readFileSync(`/proc/${process.ppid}/stat`, 'latin1');
  const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  writeFileSync(file, `${process.ppid} ${startTime}\n`);
  expect(new NodeDisk().lockSync(file)).toBe(false);
  expect(new NodeDisk().isLockedSync(file)).toBe(true);
});
