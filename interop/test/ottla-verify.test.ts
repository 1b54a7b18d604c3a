import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect, type Ottla } from '@ottla/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, Peer, runCommand, type PeerKind } from '../src/index.ts';
import { absent, interop, title } from './support.ts';

const bin = fileURLToPath(new URL('../../packages/ottla/bin/ottla.cjs', import.meta.url));

interface Finding {
  readonly type: string;
  readonly kind?: string;
  readonly partition?: string | null;
  readonly recordCount?: number;
  readonly problemCount?: number;
}

async function verify(...args: string[]): Promise<{ code: number; findings: Finding[]; stderr: string }> {
  const { code, stdout, stderr } = await runCommand(process.execPath, [bin, 'verify', '--jsonl', ...args]);
  const lines = stdout.split('\n').filter((line) => line !== '');
  return { code, stderr, findings: lines.map((line) => JSON.parse(line) as Finding) };
}

/** Findings that are worth a word: files that wait for their removal are usual. */
function told({ findings }: { findings: Finding[] }): Finding[] {
  return findings.filter(
    ({ type, kind }) => (type === 'problem' || type === 'remark') && kind !== 'leftover',
  );
}

/** Batches of every codec in several segments, and the first records deleted. */
async function writePlain(client: Ottla): Promise<void> {
  const configs = { 'internal.segment.bytes': '20000', 'index.interval.bytes': '500' };
  await client.admin().topics.create([{ name: 'plain', partitions: 2, configs }]);
  for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
    await using producer = client.producer({ compression });
    for (let round = 0; round < 20; round += 1)
      await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          producer.send('plain', {
            key: `k${i}`,
            value: `${round}:${Math.sin(i + round)}`.repeat(5),
            headers: { from: 'verify' },
          }),
        ),
      );
  }
  await client.admin().offsets.deleteRecords([{ topic: 'plain', partition: 0, beforeOffset: 1300 }]);
}

/** Transactions that commit and abort, of two producers, among plain records. */
async function writeTransactions(client: Ottla): Promise<void> {
  const configs = { 'internal.segment.bytes': '10000' };
  await client.admin().topics.create([{ name: 'ledger', partitions: 1, configs }]);
  await using first = client.producer({ transactionalId: 'first' });
  await using second = client.producer({ transactionalId: 'second', compression: 'lz4' });
  await using plain = client.producer();
  for (let round = 0; round < 20; round += 1)
    await Promise.all(
      [first, second].map((producer, which) =>
        producer
          .transaction(async (tx) => {
            for (let i = 0; i < 10; i += 1) {
              await tx.send('ledger', { key: `k${i}`, value: 'x'.repeat(100) });
              if (i % 5 === 0) await plain.send('ledger', { value: 'between' });
            }
            if ((round + which) % 3 === 0) throw new Error('not this one');
          })
          .catch((error: Error) => expect(error.message).toBe('not this one')),
      ),
    );
}

/** A compacted topic with tombstones and transactions, compacted when it resolves. */
async function writeCompacted(client: Ottla, logDir: string): Promise<void> {
  const configs = {
    'cleanup.policy': 'compact',
    'internal.segment.bytes': '10000',
    'min.cleanable.dirty.ratio': '0.01',
    'delete.retention.ms': '0',
  };
  await client.admin().topics.create([{ name: 'table', partitions: 1, configs }]);
  await using producer = client.producer({ compression: 'zstd' });
  await using tables = client.producer({ transactionalId: 'tables' });
  for (let round = 0; round < 30; round += 1) {
    for (let i = 0; i < 20; i += 1)
      await producer.send('table', { key: `k${i}`, value: i % 7 === 0 ? null : `${round}`.repeat(100) });
    await tables
      .transaction(async (tx) => {
        await tx.send('table', { key: `t${round % 5}`, value: 'y'.repeat(200) });
        if (round % 4 === 0) throw new Error('not this one');
      })
      .catch(() => {});
  }
  await eventually('The compaction', () => {
    const file = join(logDir, 'cleaner-offset-checkpoint');
    return existsSync(file) && /^table 0 [1-9]\d\d/m.test(readFileSync(file, 'utf8')) ? true : undefined;
  });
}

const kinds: readonly PeerKind[] = ['kafka', 'ottla'];

describe.each(kinds)('ottla verify on what %s wrote', (kind) => {
  const reason = kind === 'kafka' ? interop.java : { path: '' };
  describe.skipIf(absent(reason))(title('the whole directory', reason), () => {
    let peer: Peer;
    beforeAll(async () => {
      const libs = 'absent' in interop.java ? {} : { libs: interop.java.brokerLibs };
      const properties = {
        'log.cleaner.backoff.ms': '100',
        'offsets.topic.num.partitions': '2',
        'transaction.state.log.num.partitions': '2',
      };
      peer = await Peer.start({ kind, ...libs, properties });
      await using client = connect({ bootstrap: peer.bootstrap });
      await writePlain(client);
      await writeTransactions(client);
      await writeCompacted(client, peer.logDir);
      await using consumer = client.consumer('plain', { group: 'readers', from: 'earliest' });
      for await (const message of consumer) if (message.offset >= 10) break;
      await consumer.commit();
    }, 120_000);
    afterAll(() => peer?.dispose());

    test('is refused while the broker runs', async () => {
      const { code, findings, stderr } = await verify(peer.logDir);
      expect({ code, findings }).toEqual({ code: 2, findings: [] });
      expect(stderr).toContain(`A broker is running in "${peer.logDir}": stop it`);
    });

    const states = 'is sound after kill -9, and after the start and clean stop that follow';
    test(states, { timeout: 150_000 }, async () => {
      await peer.stop('SIGKILL');
      const killed = await verify(peer.logDir);
      expect({ code: killed.code, problems: told(killed).filter(({ type }) => type === 'problem') }).toEqual({
        code: 0,
        problems: [],
      });
      await peer.restart();
      {
        await using client = connect({ bootstrap: peer.bootstrap });
        await using producer = client.producer();
        await Promise.all(
          Array.from({ length: 100 }, (_, i) =>
            producer.send('plain', { key: `k${i}`, value: 'x'.repeat(300) }),
          ),
        );
      }
      await peer.stop();
      const clean = await verify(peer.logDir);
      expect({ code: clean.code, told: told(clean) }).toEqual({ code: 0, told: [] });
      const partitions = clean.findings.filter(({ type }) => type === 'partition');
      const count = (name: string) => partitions.find(({ partition }) => partition === name)?.recordCount;
      expect(count('ledger-0')).toBe(20 * 2 * 13);
      expect(count('table-0')).toBeLessThan(300);
    });

    test('one byte that changed is found, and where it lies', async () => {
      const folder = join(peer.folder, 'ledger-0');
      cpSync(join(peer.logDir, 'ledger-0'), folder, { recursive: true });
      const log = join(
        folder,
        readdirSync(folder)
          .filter((name) => name.endsWith('.log'))
          .toSorted()[1]!,
      );
      const bytes = readFileSync(log);
      // The file's last byte is a record's: where a batch's header lies depends on the run.
      bytes[bytes.length - 1]! ^= 4;
      writeFileSync(log, bytes);
      const { code, findings } = await verify(folder);
      expect(code).toBe(1);
      expect(findings.filter(({ type }) => type === 'problem')).toEqual([
        expect.objectContaining({ kind: 'batch', partition: 'ledger-0', file: log }),
      ]);
      expect(findings.at(-1)).toMatchObject({ type: 'summary', problemCount: 1, partitionCount: 1 });
    });
  });
});
