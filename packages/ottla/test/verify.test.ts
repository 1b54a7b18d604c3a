import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@ottla/client';
import { startBroker } from '@ottla/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isBuilt, jsonLines, runOttla } from './run-ottla.ts';

const folder = mkdtempSync(join(tmpdir(), 'ottla-verify-'));
const data = join(folder, 'data');
const segment = '00000000000000000000';

type Row = Readonly<Record<string, unknown>>;

async function verify(...args: string[]): Promise<{ code: number; rows: Row[]; stderr: string }> {
  const { code, stdout, stderr } = await runOttla(['verify', '--jsonl', ...args]);
  return { code, stderr, rows: jsonLines(stdout) as Row[] };
}

/** A copy of the log directory, to be damaged. */
function copyOfData(): string {
  const copy = mkdtempSync(join(folder, 'copy-'));
  cpSync(data, copy, { recursive: true });
  return copy;
}

function changeByte(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(path, bytes);
}

/** Two topics in a broker that ended cleanly. */
async function writeData(): Promise<void> {
  await using kafka = await startBroker({ directory: data, topics: { orders: 2, bills: 1 } });
  await using client = connect({ bootstrap: kafka.bootstrap });
  await using producer = client.producer();
  for (let i = 0; i < 10; i += 1) {
    await producer.send('orders', { key: `k${i}`, value: `v${i}`, partition: i % 2 });
    await producer.send('bills', { value: `b${i}` });
  }
}

describe.skipIf(!isBuilt)('ottla verify', () => {
  beforeAll(writeData, 60_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('says of each partition that it is sound, and what it holds', async () => {
    const { code, stdout, stderr } = await runOttla(['verify', data]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^bills-0: sound; 1 segment, 10 batches, 10 records, .* offsets 0 to 10$/m);
    expect(stdout).toMatch(/^__cluster_metadata-0: sound; /m);
    expect(stdout).toMatch(/^Sound: 4 partitions, \d+ records, .*; 0 problems, 0 remarks\n$/m);
  });

  test('a changed byte ends with 1, and is told of with its place and what to do', async () => {
    const copy = copyOfData();
    changeByte(join(copy, 'bills-0', `${segment}.log`));
    const { code, stdout } = await runOttla(['verify', '--quiet', copy]);
    expect(code).toBe(1);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(
      /^PROBLEM .*\/bills-0\/0{20}\.log \(offset 9, position \d+\): The batch does not match its CRC$/,
    );
    expect(lines[1]).toMatch(/^ {4}A start does not come across it; consumers stop at offset 9\. Restore/);
    expect(lines[2]).toMatch(/^bills-0: 1 problem; /);
    expect(lines[3]).toMatch(/^DAMAGED: 4 partitions/);
    expect(lines.slice(4)).toEqual(['']);
  });

  test('rows for programs: findings, partitions and a summary', async () => {
    const copy = copyOfData();
    changeByte(join(copy, 'bills-0', `${segment}.log`));
    const { rows } = await verify(copy);
    expect(rows.find(({ type }) => type === 'problem')).toMatchObject({
      kind: 'batch',
      dir: copy,
      partition: 'bills-0',
      offset: 9,
    });
    expect(rows.at(-1)).toMatchObject({ type: 'summary', problemCount: 1, partitionCount: 4 });
    const { stdout } = await runOttla(['verify', '--json', copy]);
    expect(JSON.parse(stdout)).toEqual(rows);
  });

  test('only what was asked for is read: a topic, a partition, a folder', async () => {
    const copy = copyOfData();
    changeByte(join(copy, 'bills-0', `${segment}.log`));
    const partitions = async (...args: string[]) => {
      const { code, rows } = await verify(...args);
      return [code, rows.filter(({ type }) => type === 'partition').map(({ partition }) => partition)];
    };
    expect(await partitions(copy, '-t', 'orders')).toEqual([0, ['orders-0', 'orders-1']]);
    expect(await partitions(copy, '-t', 'orders', '-p', '1')).toEqual([0, ['orders-1']]);
    expect(await partitions(join(copy, 'bills-0'))).toEqual([1, ['bills-0']]);
    expect(await partitions(`${copy}/orders-0/`)).toEqual([0, ['orders-0']]);
  });

  test('the directories come from a properties file', async () => {
    const file = join(folder, 'server.properties');
    writeFileSync(file, `node.id=1\nlog.dirs=${data}\n`);
    const { code, rows } = await verify('--config', file);
    expect({ code, summary: rows.at(-1) }).toMatchObject({ code: 0, summary: { partitionCount: 4 } });
  });

  test('a torn end after a crash is a remark, and ends with 0', async () => {
    const copy = copyOfData();
    appendFileSync(join(copy, 'bills-0', `${segment}.log`), Buffer.alloc(30, 1));
    unlinkSync(join(copy, '.kafka_cleanshutdown'));
    const { code, rows } = await verify(copy);
    expect(code).toBe(0);
    expect(rows.filter(({ type }) => type === 'remark')).toMatchObject([{ kind: 'tail', offset: 10 }]);
  });

  test('a shallow check leaves records closed', async () => {
    const { code, rows } = await verify('--shallow', data);
    expect({ code, summary: rows.at(-1) }).toMatchObject({ code: 0, summary: { problemCount: 0 } });
  });

  test('a broker that is running is respected, unless asked otherwise', async () => {
    const copy = copyOfData();
    await using _kafka = await startBroker({ directory: copy });
    const refused = await verify(copy);
    expect({ code: refused.code, rows: refused.rows }).toEqual({ code: 2, rows: [] });
    expect(refused.stderr).toContain(`A broker is running in "${copy}": stop it`);
    const { rows } = await verify('--force', copy);
    expect(rows[0]).toMatchObject({ type: 'remark', problem: 'A broker is running in the directory' });
  });

  test.each([
    [[], 'Which folders?'],
    [[join(folder, 'absent')], 'There is no folder'],
    [[folder], 'is no log directory'],
    [[data, join(data, 'bills-0')], 'some partitions'],
    [[data, '-t', 'absent'], 'No partition there'],
    [[data, '-p', 'x'], 'is not a whole number'],
    [[data, '--deep'], 'unknown option'],
  ])('%j is refused with 2, since nothing was checked', async (args, message) => {
    const { code, stderr } = await verify(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});
