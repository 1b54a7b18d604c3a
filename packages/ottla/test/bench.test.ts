import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBroker, type TestBroker } from '@ottla/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Latencies, parsePercentiles } from '../src/bench/latencies.ts';
import { throughputOf } from '../src/bench/report.ts';
import { isBuilt, runOttla } from './run-ottla.ts';

describe('latencies', () => {
  test.each([1, 10, 50, 90, 99, 99.9, 100])(
    'percentile %d is what sorting would give, to a hundredth',
    (percent) => {
      const latencies = new Latencies();
      const all = Array.from({ length: 5000 }, (_, i) => 0.01 * 1.002 ** i);
      for (const each of all) latencies.add(each);
      const exact = all[Math.ceil((percent / 100) * all.length) - 1]!;
      expect(latencies.percentileMs(percent) / exact).toBeGreaterThanOrEqual(0.999);
      expect(latencies.percentileMs(percent) / exact).toBeLessThan(1.01);
    },
  );

  test('none at all, one many times, and more than fits', () => {
    const latencies = new Latencies();
    expect([latencies.percentileMs(99), latencies.averageMs, latencies.maxMs]).toEqual([0, 0, 0]);
    latencies.add(2, 10);
    expect(latencies).toMatchObject({ count: 10, averageMs: 2, maxMs: 2 });
    latencies.add(1e15);
    expect(latencies.percentileMs(100)).toBeGreaterThan(1e8);
  });

  test('percentages that are none are refused', () => {
    expect(parsePercentiles('50,99.9')).toEqual([50, 99.9]);
    for (const text of ['', '0', '101', 'x', '5,'])
      expect(() => parsePercentiles(text), text).toThrow(RangeError);
  });
});

test('megabytes are those of the tools of Kafka', () => {
  expect(throughputOf(1000, 2 * 1024 * 1024, 2000)).toEqual({
    records: 1000,
    bytes: 2_097_152,
    seconds: 2,
    recordsPerSecond: 500,
    mbPerSecond: 1,
  });
});

describe.skipIf(!isBuilt)('ottla bench', () => {
  let kafka: TestBroker;
  const folder = mkdtempSync(join(tmpdir(), 'ottla-bench-'));
  beforeAll(async () => {
    kafka = await startBroker({ topics: { mine: 2, one: 1 } });
  }, 60_000);
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await kafka.close();
  });

  async function bench(
    ...args: string[]
  ): Promise<{ code: number; stderr: string; result: Record<string, unknown> }> {
    const { code, stdout, stderr } = await runOttla(['bench', ...args, '--json'], {
      bootstrap: kafka.bootstrap,
    });
    return { code, stderr, result: (stdout === '' ? {} : JSON.parse(stdout)) as Record<string, unknown> };
  }

  async function topics(): Promise<string[]> {
    const { stdout } = await runOttla(['topics', '--json'], { bootstrap: kafka.bootstrap });
    return (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name);
  }

  test('produce sends what it is told to, says how fast, and removes its topic', async () => {
    const { code, stderr, result } = await bench(
      'produce',
      '-n',
      '2000',
      '-s',
      '50',
      '--percentiles',
      '50,99.5',
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(result).toMatchObject({ benchmark: 'produce', records: 2000, bytes: 100_000 });
    expect(Object.keys(result['latencyMs'] as object)).toEqual(['avg', 'p50', 'p99.5', 'max']);
    expect(await topics()).toEqual(['mine', 'one']);
  });

  test('produce writes into a topic that is there, and leaves it; the warm-up counts for nothing', async () => {
    const payload = join(folder, 'payload.txt');
    writeFileSync(payload, 'ab|abcd');
    const args = ['produce', 'mine', '-n', '10', '--warmup-records', '4', '-a', '1', '-z', 'lz4'];
    const { result } = await bench(...args, '--payload-file', payload, '--payload-delimiter', '|');
    expect(result).toMatchObject({ topic: 'mine', records: 10, bytes: 30 });
    const values = (await kafka.records('mine')).map(({ value }) => value);
    expect(values.toSorted()).toEqual([...Array<string>(7).fill('ab'), ...Array<string>(7).fill('abcd')]);
    expect(await topics()).toContain('mine');
  });

  test('produce in transactions, at a rate, for people', async () => {
    const args = ['bench', 'produce', '-n', '100', '--throughput', '2000', '--transaction-duration-ms', '10'];
    const { code, stdout } = await runOttla(args, { bootstrap: kafka.bootstrap });
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^100 records in [\d.]+ s · \d+ records\/s · [\d.]+ MB\/s\nLATENCY-MS +AVG +P50 +P95 +P99 +P99\.9 +MAX\n/,
    );
  });

  test('consume fills a topic of its own, reads it alone or as a group, and removes it', async () => {
    for (const more of [[], ['-g', 'bench-group']]) {
      const { code, result } = await bench('consume', '-n', '3000', ...more);
      expect(code).toBe(0);
      expect(result).toMatchObject({ benchmark: 'consume' });
      expect(result['records']).toBeGreaterThanOrEqual(3000);
    }
    expect(await topics()).toEqual(['mine', 'one']);
  }, 60_000);

  test('consume that waits in vain says so', async () => {
    const { code, stderr, result } = await bench('consume', 'one', '-n', '5', '--idle-ms', '300');
    expect({ code, records: result['records'] }).toEqual({ code: 1, records: 0 });
    expect(stderr).toBe('ottla: 0 of 5 records came, and none for 300 ms (--idle-ms)\n');
  });

  test('e2e passes one record after the other', async () => {
    const { code, result } = await bench('e2e', 'one', '-n', '50', '-a', '1');
    expect(code).toBe(0);
    expect(result).toMatchObject({ benchmark: 'e2e', topic: 'one', records: 50 });
    expect((await kafka.records('one')).map(({ key }) => Number(key))).toEqual(
      Array.from({ length: 50 }, (_, i) => i),
    );
  });

  test.each([
    [['produce', '--percentiles', '0'], 'is not above 0'],
    [['produce', '--throughput', '0'], 'neither -1 nor'],
    [['produce', '-z', 'zip', '-n', '1'], 'compression'],
    [['fly'], "unknown command 'fly' of 'ottla bench'"],
  ])('bench %j says what is wrong', async (args, reason) => {
    const { code, stderr } = await runOttla(['bench', ...args], { bootstrap: kafka.bootstrap });
    expect(code).toBe(1);
    expect(stderr).toContain(reason);
    expect(await topics()).toEqual(['mine', 'one']);
  });
});
