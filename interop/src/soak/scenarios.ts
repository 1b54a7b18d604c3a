import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deleteRecordsRequest, deleteRecordsResponse } from '@ottla/protocol';
import { commandWorks, delay, eventually, mustRun, runCommand } from '../command.ts';
import { Peer } from '../peer.ts';
import { AckedLoad, createLoadTopic, verify, type Verdict } from './acked-load.ts';
import { PowerVolume } from './power-volume.ts';
import { ReadingLoad } from './reading-load.ts';
import { ask } from './requests.ts';
import { ShareLoad } from './share-load.ts';
import { withSoundFiles } from './sound-files.ts';
import { TransactionLoad } from './transaction-load.ts';

/** How long a scenario goes on. */
export interface SoakOptions {
  readonly rounds: number;
  readonly say: (line: string) => void;
}

/** A way to hurt a broker under acknowledged writes; resolves with what was found afterwards. */
export interface Scenario {
  readonly about: string;
  readonly defaultRounds: number;
  /** Commands that have to be there; and root, where the scenario mounts something. */
  readonly needs: readonly string[];
  readonly needsRoot: boolean;
  run(options: SoakOptions): Promise<Verdict>;
}

const TOPIC = 'soak';
const partitionCount = 4;
const loadTopic = { partitionCount };

/** Waits until a count has grown by so much since now. */
async function countsOn(what: string, count: () => number, more: number): Promise<void> {
  const before = count();
  await eventually(what, () => (count() >= before + more ? true : undefined), 60_000);
}

/** Waits until the load has got `more` acknowledgements since now. */
function acknowledges(load: AckedLoad, more: number): Promise<void> {
  return countsOn('Acknowledged writes', () => load.count, more);
}

/** A random point of time, a few hundred writes later. */
async function atAnyMoment(load: AckedLoad): Promise<void> {
  await acknowledges(load, 50 + Math.floor(Math.random() * 400));
  await delay(Math.random() * 20);
}

const configsOf: Readonly<Record<KillKind, Record<string, string>>> = {
  plain: {},
  compacting: {
    'cleanup.policy': 'compact',
    'internal.segment.bytes': '50000',
    'min.cleanable.dirty.ratio': '0.01',
    'file.delete.delay.ms': '100',
  },
  large: { 'write.caching': 'true' },
};

type KillKind = 'plain' | 'compacting' | 'large';

async function kill(options: SoakOptions, kind: KillKind): Promise<Verdict> {
  const isCompacted = kind === 'compacting';
  const properties = { 'log.cleaner.backoff.ms': '50', 'log.segment.bytes': '1048576' };
  const peer = await Peer.start({ kind: 'ottla', properties });
  try {
    await createLoadTopic(peer.port, TOPIC, { ...loadTopic, configs: configsOf[kind] });
    const load = new AckedLoad(peer.port, TOPIC, {
      ...loadTopic,
      // A batch of one record is large enough to be written by the thread pool.
      ...(kind === 'large' && { valueBytes: 40_000 }),
    });
    load.start();
    for (let round = 1; round <= options.rounds; round += 1) {
      await atAnyMoment(load);
      await peer.stop('SIGKILL');
      await peer.restart();
      options.say(
        `kill ${round}/${options.rounds}, ${load.count} acknowledged, ready in ${peer.readyMs.toFixed(0)} ms`,
      );
    }
    await acknowledges(load, 100);
    await load.stop();
    const verdict = await verify(peer.port, TOPIC, { acknowledged: load.acknowledged, isCompacted });
    return await withSoundFiles(peer, verdict, options.say);
  } finally {
    await peer.dispose();
  }
}

/** Hurts a broker again and again while a topic is written and members of a share group acknowledge what is. */
async function hurtShares(
  peer: Peer,
  { rounds, say }: SoakOptions,
  how: { readonly name: string; readonly hurt: () => Promise<void> },
): Promise<Verdict> {
  await createLoadTopic(peer.port, TOPIC, loadTopic);
  const load = new AckedLoad(peer.port, TOPIC, loadTopic);
  const shares = new ShareLoad(peer.port, TOPIC);
  load.start();
  await shares.start();
  for (let round = 1; round <= rounds; round += 1) {
    await countsOn('Accepted records', () => shares.acceptedCount, 100);
    await atAnyMoment(load);
    await how.hurt();
    say(`${how.name} ${round}/${rounds}, ${shares.acceptedCount} accepted for good`);
  }
  await load.stop();
  const written = await verify(peer.port, TOPIC, load);
  const shared = await shares.finish(load.acknowledged);
  const verdict = {
    acknowledged: written.acknowledged + shared.acknowledged,
    lost: written.lost + shared.lost,
    wrong: written.wrong + shared.wrong,
  };
  return withSoundFiles(peer, verdict, say);
}

/** kill -9 while members of a share group acknowledge what is being written. */
async function killShares(options: SoakOptions): Promise<Verdict> {
  const peer = await Peer.start({ kind: 'ottla' });
  const hurt = async (): Promise<void> => {
    await peer.stop('SIGKILL');
    await peer.restart();
  };
  try {
    return await hurtShares(peer, options, { name: 'kill', hurt });
  } finally {
    await peer.dispose();
  }
}

/** kill -9 in the middle of transactions, whose records must all count or none. */
async function killTransactions(options: SoakOptions): Promise<Verdict> {
  const peer = await Peer.start({ kind: 'ottla' });
  try {
    await createLoadTopic(peer.port, TOPIC, loadTopic);
    const load = new TransactionLoad(peer.port, TOPIC, partitionCount);
    load.start();
    for (let round = 1; round <= options.rounds; round += 1) {
      await countsOn('Committed transactions', () => load.committedCount, 5 + Math.floor(Math.random() * 40));
      await delay(Math.random() * 20);
      await peer.stop('SIGKILL');
      await peer.restart();
      options.say(`kill ${round}/${options.rounds}, ${load.committedCount} transactions committed`);
    }
    await countsOn('Committed transactions', () => load.committedCount, 10);
    await load.stop();
    return await withSoundFiles(peer, await load.verify(), options.say);
  } finally {
    await peer.dispose();
  }
}

/** The broker's folder lies on a volume of its own, whose power is cut under it. */
async function powerCut(options: SoakOptions): Promise<Verdict> {
  const volume = await PowerVolume.create(2 * 1024 ** 3);
  const folder = join(volume.path, 'broker');
  mkdirSync(folder);
  const peer = await Peer.start({ kind: 'ottla', folder });
  try {
    await createLoadTopic(peer.port, TOPIC, {
      ...loadTopic,
      configs: { 'internal.segment.bytes': '500000' },
    });
    const load = new AckedLoad(peer.port, TOPIC, loadTopic);
    load.start();
    for (let round = 1; round <= options.rounds; round += 1) {
      await atAnyMoment(load);
      await volume.cut();
      await peer.stop('SIGKILL');
      await volume.restore();
      await peer.restart();
      options.say(`power cut ${round}/${options.rounds}, ${load.count} acknowledged`);
    }
    await acknowledges(load, 100);
    await load.stop();
    return await withSoundFiles(peer, await verify(peer.port, TOPIC, load), options.say);
  } finally {
    await peer.dispose();
    await volume.dispose();
  }
}

/** The disk hangs for longer than the coordinators let their callers wait; then all goes on as if nothing had been. */
async function hungDisk(options: SoakOptions): Promise<Verdict> {
  const volume = await PowerVolume.create(2 * 1024 ** 3);
  const folder = join(volume.path, 'broker');
  mkdirSync(folder);
  const properties = {
    'offsets.commit.timeout.ms': String(HANG_MS / 3),
    'share.coordinator.write.timeout.ms': String(HANG_MS / 3),
  };
  const peer = await Peer.start({ kind: 'ottla', folder, properties });
  const hurt = async (): Promise<void> => {
    await volume.freeze();
    await delay(HANG_MS);
    await volume.thaw();
  };
  try {
    return await hurtShares(peer, options, { name: 'hung disk', hurt });
  } finally {
    await peer.dispose();
    await volume.dispose();
  }
}

const HANG_MS = 1500;

/** The data lies on a small volume that fills up; topics are then given room by deleting another file. */
async function fullDisk(options: SoakOptions): Promise<Verdict> {
  const folder = mkdtempSync(join(tmpdir(), 'ottla-full-'));
  await mustRun('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', folder]);
  let peer: Peer | undefined;
  try {
    const totals = { acknowledged: 0, lost: 0, wrong: 0 };
    for (let round = 1; round <= options.rounds; round += 1) {
      peer = await Peer.start({ kind: 'ottla', folder: join(folder, `round-${round}`) });
      await createLoadTopic(peer.port, TOPIC, { partitionCount: 1 });
      const load = new AckedLoad(peer.port, TOPIC, { partitionCount: 1 });
      await mustRun('dd', [
        'if=/dev/zero',
        `of=${join(folder, 'ballast')}`,
        'bs=1M',
        'count=18',
        'status=none',
      ]);
      load.start();
      await eventually(
        'The disk being full',
        () => (load.refusals.size > 0 || hasEnded(peer!) ? true : undefined),
        60_000,
      );
      rmSync(join(folder, 'ballast'));
      await load.stop();
      await peer.stop('SIGKILL');
      await peer.restart();
      const verdict = await withSoundFiles(peer, await verify(peer.port, TOPIC, load), options.say);
      options.say(
        `full disk ${round}/${options.rounds}: ${verdict.acknowledged} acknowledged before, refusals ${JSON.stringify([...load.refusals])}`,
      );
      totals.acknowledged += verdict.acknowledged;
      totals.lost += verdict.lost;
      totals.wrong += verdict.wrong;
      rmSync(peer.folder, { recursive: true, force: true });
    }
    return totals;
  } finally {
    await peer?.dispose();
    await runCommand('umount', [folder]);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Calls of the broker fail with an error of the disk, by way of strace; it goes on with what it had acknowledged. */
async function ioErrors(options: SoakOptions): Promise<Verdict> {
  const peer = await Peer.start({ kind: 'ottla' });
  try {
    await createLoadTopic(peer.port, TOPIC, loadTopic);
    const load = new AckedLoad(peer.port, TOPIC, loadTopic);
    load.start();
    for (let round = 1; round <= options.rounds; round += 1) {
      await acknowledges(load, 200);
      const fault = faults[round % faults.length]!;
      const log = join(peer.logDir, `${TOPIC}-0`, '00000000000000000000.log');
      const path = fault.calls === 'fdatasync' ? [] : ['-P', log];
      const calls = `${fault.calls}:error=${fault.code}:when=${5 + Math.floor(Math.random() * 20)}`;
      const trace = ['-f', '-qq', '-o', '/dev/null', '-p', String(peer.pid), ...path];
      const strace = spawn('strace', [...trace, '-e', `trace=${fault.calls}`, '-e', `inject=${calls}`]);
      const refusals = load.refusals.size;
      // The only log directory has failed: the broker refuses, then stops by itself.
      await eventually(
        `The failure of ${fault.calls}`,
        () => (hasEnded(peer) || load.refusals.size > refusals ? true : undefined),
        60_000,
      );
      await peer.stop('SIGKILL');
      strace.kill('SIGTERM');
      await peer.restart();
      options.say(`${fault.code} from ${fault.calls} ${round}/${options.rounds}, ${load.count} acknowledged`);
    }
    await acknowledges(load, 100);
    await load.stop();
    return await withSoundFiles(peer, await verify(peer.port, TOPIC, load), options.say);
  } finally {
    await peer.dispose();
  }
}

/** Segments are rolled, deleted and compacted under readers of all speeds, far behind what the broker has in memory. */
async function slowReaders({ rounds, say }: SoakOptions): Promise<Verdict> {
  const properties = {
    'log.retention.check.interval.ms': '200',
    'log.cleaner.backoff.ms': '50',
    'write.caching': 'true',
  };
  const peer = await Peer.start({ kind: 'ottla', properties });
  const shape = { partitionCount: 2 };
  const loads = Object.entries(readTopics).map(([topic, configs]) => {
    const isCompacted = configs['cleanup.policy'] === 'compact';
    const load = new AckedLoad(peer.port, topic, { ...shape, valueBytes: 40_000 });
    const { acknowledged } = load;
    const readers = new ReadingLoad(peer.port, topic, {
      ...shape,
      readerCount: 4,
      isCompacted,
      acknowledged,
    });
    return { topic, configs, isCompacted, load, readers };
  });
  const readBytes = (): number => loads.reduce((sum, { readers }) => sum + readers.bytes, 0);
  try {
    for (const { topic, configs, load, readers } of loads) {
      await createLoadTopic(peer.port, topic, { ...shape, configs });
      load.start();
      readers.start();
    }
    for (let round = 1; round <= rounds; round += 1) {
      await countsOn('Bytes read', readBytes, 400_000_000);
      await deleteOldest(peer.port, loads[0]!.topic, loads[0]!.load);
      say(`slow readers ${round}/${rounds}, ${(readBytes() / 1e9).toFixed(1)} GB read and checked`);
    }
    const verdict = { acknowledged: 0, lost: 0, wrong: 0 };
    for (const { topic, isCompacted, load, readers } of loads) {
      await load.stop();
      const faults = await readers.stop();
      for (const fault of faults.slice(0, 10)) say(fault);
      verdict.acknowledged += load.count;
      verdict.wrong += faults.length;
      if (isCompacted)
        verdict.lost += (
          await verify(peer.port, topic, { acknowledged: load.acknowledged, isCompacted })
        ).lost;
    }
    return await withSoundFiles(peer, verdict, say);
  } finally {
    await peer.dispose();
  }
}

/** Each keeps more than the tail cache holds, so that readers come to the files. */
const readTopics: Readonly<Record<string, Record<string, string>>> = {
  'soak-deleted': {
    'segment.bytes': '4000000',
    'retention.bytes': '120000000',
    'file.delete.delay.ms': '50',
  },
  'soak-compacted': {
    'cleanup.policy': 'compact',
    'segment.bytes': '4000000',
    'min.cleanable.dirty.ratio': '0.01',
    'min.compaction.lag.ms': '1500',
    'file.delete.delay.ms': '50',
  },
};

/** Deletes what was written to a topic's first partition but for the last of it, which is about half of what is kept. */
async function deleteOldest(port: number, topic: string, load: AckedLoad): Promise<void> {
  const offset = Math.max(0, load.acknowledged[0]!.size - 1_500);
  const api = { request: deleteRecordsRequest, response: deleteRecordsResponse, version: 2 };
  const topics = [{ name: topic, partitions: [{ partitionIndex: 0, offset }] }];
  const { errorCode } = (await ask(port, api, { topics, timeoutMs: 10_000 })).topics[0]!.partitions[0]!;
  if (errorCode !== 0) throw new Error(`Deleting records of "${topic}" up to ${offset}: error ${errorCode}`);
}

const faults: readonly { readonly calls: string; readonly code: string }[] = [
  { calls: 'fdatasync', code: 'EIO' },
  { calls: 'writev,pwritev,pwrite64,write', code: 'EIO' },
  { calls: 'fdatasync', code: 'ENOSPC' },
  { calls: 'writev,pwritev,pwrite64,write', code: 'ENOSPC' },
];

function hasEnded(peer: Peer): boolean {
  try {
    process.kill(peer.pid, 0);
    return false;
  } catch {
    return true;
  }
}

/** The scenarios by name. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  kill: {
    about: 'kill -9 in the middle of acknowledged writes',
    defaultRounds: 30,
    needs: [],
    needsRoot: false,
    run: (options) => kill(options, 'plain'),
  },
  'kill-compacting': {
    about: 'kill -9 while the topic is being compacted all the time',
    defaultRounds: 30,
    needs: [],
    needsRoot: false,
    run: (options) => kill(options, 'compacting'),
  },
  'kill-large': {
    about: 'kill -9 under large batches of a topic with write.caching, which the thread pool writes',
    defaultRounds: 30,
    needs: [],
    needsRoot: false,
    run: (options) => kill(options, 'large'),
  },
  'kill-shares': {
    about: 'kill -9 while a share group acknowledges: nothing confirmed comes again, nothing is skipped',
    defaultRounds: 20,
    needs: [],
    needsRoot: false,
    run: killShares,
  },
  'kill-transactions': {
    about: 'kill -9 in the middle of transactions: each is whole or absent',
    defaultRounds: 20,
    needs: [],
    needsRoot: false,
    run: killTransactions,
  },
  'slow-readers': {
    about: 'readers of all speeds while segments are rolled, deleted and compacted under them',
    defaultRounds: 20,
    needs: [],
    needsRoot: false,
    run: slowReaders,
  },
  'power-cut': {
    about: 'power cuts of an ext4 volume (root, loop devices and Python)',
    defaultRounds: 20,
    needs: ['mkfs.ext4', 'mount', 'python3'],
    needsRoot: true,
    run: powerCut,
  },
  'hung-disk': {
    about: 'an ext4 volume that hangs for a while, again and again (root, loop devices and Python)',
    defaultRounds: 10,
    needs: ['mkfs.ext4', 'mount', 'fsfreeze', 'python3'],
    needsRoot: true,
    run: hungDisk,
  },
  'full-disk': {
    about: 'a disk that fills up under the writes (root)',
    defaultRounds: 3,
    needs: ['mount'],
    needsRoot: true,
    run: fullDisk,
  },
  'io-errors': {
    about: 'failed writes and syncs (strace)',
    defaultRounds: 8,
    needs: ['strace'],
    needsRoot: true,
    run: ioErrors,
  },
};

/** Why a scenario cannot run on this machine; null when it can. */
export async function missing({ needs, needsRoot }: Scenario): Promise<string | null> {
  if (needsRoot && process.getuid?.() !== 0) return 'needs root';
  for (const command of needs) {
    if (!(await commandWorks('which', [command]))) return `no \`${command}\` on the path`;
  }
  return null;
}
