import { SeededRandom, SimClock, SimDisk } from '@ottla/platform';
import {
  encodeTransactionMarker,
  iterateBatches,
  writeBatchCrc,
  type BatchInput,
  type BatchSummary,
} from '@ottla/protocol';
import { checkLogDirs, type LogProblem, type LogDirsReport } from '../../src/index.ts';
import { batchOf, logConfig, openManager, TP } from './fixtures.ts';

export const DIR = '/data';
export const FOLDER = `${DIR}/orders-0`;
const CONFIG = { segmentBytes: 2500, indexIntervalBytes: 200 };
const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ';

/** The short form of a finding, for tables: `problem batch` or `remark tail`. */
export function shortOf({ severity, kind }: LogProblem): string {
  return `${severity} ${kind}`;
}

/** Checks `/data` of a disk. */
export async function check(
  disk: SimDisk,
  options: { dirs?: readonly string[]; isShallow?: boolean } = {},
): Promise<{ found: LogProblem[]; report: LogDirsReport }> {
  const found: LogProblem[] = [];
  const report = await checkLogDirs({
    disk,
    dirs: [DIR],
    ...options,
    onProblem: (problem) => void found.push(problem),
  });
  return { found, report };
}

/** A log directory with a log of several segments: codecs, an idempotent producer, two leader epochs, transactions. */
export class CheckFixture {
  readonly clock = new SimClock();
  readonly disk = new SimDisk({ clock: this.clock, random: new SeededRandom(1) });

  static async make(): Promise<CheckFixture> {
    const fixture = new CheckFixture();
    await fixture.#write();
    return fixture;
  }

  open() {
    return openManager([DIR], { disk: this.disk, clock: this.clock, config: CONFIG });
  }

  /** What the next start makes of it. */
  async startAndStop(): Promise<void> {
    const manager = await this.open();
    await manager.close();
  }

  /**
   *     offsets 0..39    producer 1, sequences 0..39, all codecs, epoch 0 up to offset 20, then epoch 3
   *     40..60           producer 7: a transaction that is aborted, one that is committed in epoch 4; plain batches between
   */
  async #write(): Promise<void> {
    const manager = await this.open();
    const log = manager.getOrCreate(TP, TOPIC_ID, logConfig(CONFIG));
    const now = this.clock.nowMs();
    const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
    for (let i = 0; i < 20; i++) {
      const producer = { producerId: 1, producerEpoch: 0, baseSequence: i * 2 };
      const batch = batchOf(2, {
        valueBytes: 150,
        timestamp: now + i * 10,
        compression: codecs[i % 5]!,
        ...producer,
      });
      log.append(batch, { leaderEpoch: i < 10 ? 0 : 3, origin: 'client' });
    }
    let sequence = 0;
    for (const type of ['abort', 'commit'] as const) {
      const leaderEpoch = type === 'abort' ? 3 : 4;
      for (let i = 0; i < 3; i++) {
        const producer = { producerId: 7, producerEpoch: 2, baseSequence: sequence++, isTransactional: true };
        log.append(batchOf(1, { valueBytes: 300, timestamp: now + 300, ...producer }), {
          leaderEpoch,
          origin: 'client',
        });
        log.append(batchOf(2, { timestamp: now + 300 }), { leaderEpoch, origin: 'client' });
      }
      const marker = { producerId: 7, producerEpoch: 2, coordinatorEpoch: 5, timestampMs: now + 300 };
      log.append(encodeTransactionMarker({ type, ...marker }), { leaderEpoch, origin: 'coordinator' });
    }
    log.updateHighWatermark(log.logEndOffset);
    await manager.close();
  }

  /** The last run did not end cleanly, and noted these offsets. */
  crashed(offsets: { recoveryPoint: number; highWatermark?: number }): void {
    this.disk.unlinkSync(`${DIR}/.kafka_cleanshutdown`);
    this.write(`${DIR}/recovery-point-offset-checkpoint`, `0\n1\norders 0 ${offsets.recoveryPoint}\n`);
    this.write(`${DIR}/replication-offset-checkpoint`, `0\n1\norders 0 ${offsets.highWatermark ?? 0}\n`);
  }

  /** Writes a file, and makes its folder. */
  write(path: string, content: Buffer | string): void {
    this.disk.mkdirSync(path.slice(0, path.lastIndexOf('/')));
    this.disk.replaceFileSync(path, content);
  }

  /** Changes the bytes of a file in place, or replaces them. */
  edit(path: string, change: (bytes: Buffer) => Buffer | void): void {
    const bytes = Buffer.from(this.disk.readFileSync(path));
    this.write(path, change(bytes) ?? bytes);
  }

  /** Files of the partition that end so, in the order of their offsets. */
  files(suffix: string): string[] {
    return this.disk
      .listSync(FOLDER)
      .filter((name) => name.endsWith(suffix))
      .map((name) => `${FOLDER}/${name}`);
  }

  /** The segment that holds an offset, its batches, and which of them holds it. */
  batchAt(offset: number): { path: string; batches: BatchSummary[]; index: number } {
    for (const path of this.files('.log')) {
      const batches = [...iterateBatches(this.disk.readFileSync(path))];
      const index = batches.findIndex((batch) => offset >= batch.baseOffset && offset <= batch.lastOffset);
      if (index >= 0) return { path, batches, index };
    }
    throw new Error(`No batch holds offset ${offset}`);
  }

  /** Changes the batch that holds an offset; `isSealed` computes its CRC anew. */
  editBatch(offset: number, change: (bytes: Buffer, at: number) => void, isSealed = false): void {
    const { path, batches, index } = this.batchAt(offset);
    const { position } = batches[index]!;
    this.edit(path, (bytes) => {
      change(bytes, position);
      if (isSealed) writeBatchCrc(bytes, position);
    });
  }
}

/** A batch for logs that are put together by hand. */
export function rawBatch(baseOffset: number, options: Partial<BatchInput> = {}): Buffer {
  return batchOf(1, { baseOffset, partitionLeaderEpoch: 1, ...options });
}
