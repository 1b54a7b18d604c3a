import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

const statFields = (pid: number): string[] => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
};

const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await new Promise(setImmediate);
};

test.skipIf(!existsSync('/proc/self/stat'))(
  'a lock file of a process that has ended, and that nobody has asked for its end, is taken over',
  async () => {
    // The parent of the holder becomes a program that waits for no child, as the first process of many a container is.
    const parent = spawn('sh', ['-c', 'sleep 600 & echo $!; exec sleep 600'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      const [line] = (await once(parent.stdout, 'data')) as [Buffer];
      const holder = Number(line.toString());
      const file = path.join(root, '.lock');
      writeFileSync(file, `${holder} ${statFields(holder)[19]}\n`);
      expect(new NodeDisk().isLockedSync(file)).toBe(true);
      await until(() => readFileSync(`/proc/${parent.pid}/comm`, 'utf8') === 'sleep\n');
      process.kill(holder, 'SIGKILL');
      await until(() => statFields(holder)[0] === 'Z');
      expect(new NodeDisk().isLockedSync(file)).toBe(false);
      expect(new NodeDisk().lockSync(file)).not.toBe(false);
    } finally {
      parent.kill('SIGKILL');
    }
  },
);
