import { SeededRandom, SimClock, SimDisk } from '@ottla/platform';
import { decodeRecords, encodeBatch, encodeTransactionMarker, iterateBatches } from '@ottla/protocol';
import { expect } from 'vitest';
import { LogError, type Log, type LogConfig, type LogManager } from '../../src/index.ts';
import { expectSound } from './expect-sound.ts';
import { checkFolder } from './folder-check.ts';
import { ALL, client, logConfig, OPERATIONS, openManager, TP } from './fixtures.ts';
import { ProcessClock } from './process-clock.ts';

const DIR = '/data';
const DELETE_RETENTION_MS = 5_000;

interface ModelRecord {
  readonly offset: number;
  readonly key: string;
  /** Null: a tombstone. */
  readonly value: string | null;
  /** -1: written outside of transactions. */
  readonly producerId: number;
  isAborted: boolean;
}

/**
 * Drives one compacted log with random writes, transactions, compactions, crashes and power cuts, next to a list of
 * everything that was written, and checks after each step that the log still says the same about every key.
 */
export class CompactionModel {
  readonly random: SeededRandom;
  readonly disk: SimDisk;
  readonly #clock = new SimClock();
  readonly #config: LogConfig;
  readonly #dedupeBufferBytes: number;
  #process = new ProcessClock(this.#clock);
  #manager: LogManager | null = null;
  #log: Log | null = null;
  #records: ModelRecord[] = [];
  #end = 0;
  #acknowledged = 0;
  /** First offset of the open transaction of producer 7; -1 when there is none. */
  #transactionStart = -1;
  #sequence = 0;
  #compaction: Promise<void> = Promise.resolve();
  compactions = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.disk = new SimDisk({
      random: this.random,
      clock: this.#clock,
      delay: () => new Promise((resolve) => setImmediate(resolve)),
    });
    this.#dedupeBufferBytes = this.random.chance(0.3) ? 24 * 5 : 1_000_000;
    this.#config = logConfig({
      segmentBytes: 800 + this.random.nextInt(1500),
      indexIntervalBytes: 100,
      fileDeleteDelayMs: 10,
      compact: true,
      delete: false,
      minCleanableDirtyRatio: this.random.chance(0.5) ? 0 : 0.3,
      deleteRetentionMs: DELETE_RETENTION_MS,
    });
  }

  async start(): Promise<void> {
    this.#process.kill();
    this.#process = new ProcessClock(this.#clock);
    this.#manager = await openManager([DIR], {
      disk: this.disk,
      clock: this.#process,
      random: this.random,
      config: this.#config,
      clusterId: 'AAAAAAAAAAAAAAAAAAAAAw',
      onDamagedLog: (_, error) => expect.unreachable(error.message),
      checkpointIntervalMs: 3000,
      tailCacheBytes: 1000,
      cleaner: {
        settings: () => ({
          backoffMs: 1e9,
          threads: 1,
          dedupeBufferBytes: this.#dedupeBufferBytes,
          loadFactor: 0.9,
          maxBytesPerSecond: Number.MAX_VALUE,
        }),
        onFailure: (_, error) => expect(error.isDamage, error.message).toBe(false),
      },
    });
    this.#log = this.#manager.getOrCreate(TP, null, this.#config);
    this.#log.updateHighWatermark(this.#log.logEndOffset);
  }

  async step(): Promise<void> {
    const log = this.#log!;
    const dice = this.random.nextInt(100);
    try {
      if (log.isOffline) await this.#restart(this.random.chance(0.5) ? 'crash' : 'power cut');
      else if (dice < 55) this.#write(log);
      else if (dice < 65) this.#endTransaction(log);
      else if (dice < 72) await this.#flush(log);
      else if (dice < 77) log.roll();
      else if (dice < 82) this.#clock.advance(this.random.nextInt(4_000));
      else if (dice < 92) await this.#compact(log);
      else if (dice < 93) this.#breakDisk();
      else if (dice < 96) await this.#restart('crash');
      else if (dice < 98) await this.#restart('power cut');
      else await this.#restart('clean');
    } catch (error) {
      // A failed disk call takes the directory offline; anything else is a finding.
      if (!(error instanceof LogError && error.errorCode === 56)) throw error;
    }
  }

  #write(log: Log): void {
    const isTransactional = this.random.chance(this.#transactionStart >= 0 ? 0.6 : 0.2);
    const count = 1 + this.random.nextInt(3);
    const inputs = Array.from({ length: count }, () => ({
      key: `k${this.random.nextInt(8)}`,
      value: this.random.chance(0.2) ? null : this.random.uuid(),
    }));
    const bytes = encodeBatch({
      records: inputs.map(({ key, value }) => ({
        timestamp: this.#clock.nowMs(),
        key: Buffer.from(key),
        value: value === null ? null : Buffer.from(value),
      })),
      compression: this.random.chance(0.3) ? 'gzip' : 'none',
      ...(isTransactional && {
        producerId: 7,
        producerEpoch: 0,
        baseSequence: this.#sequence,
        isTransactional: true,
      }),
    });
    const firstOffset = this.#end;
    // Before the append: one that fails may be in the log all the same.
    inputs.forEach(({ key, value }, index) =>
      this.#records.push({
        offset: firstOffset + index,
        key,
        value,
        producerId: isTransactional ? 7 : -1,
        isAborted: false,
      }),
    );
    expect(log.append(bytes, client).firstOffset).toBe(firstOffset);
    if (isTransactional) {
      this.#sequence += count;
      if (this.#transactionStart < 0) this.#transactionStart = firstOffset;
    }
    this.#moved(log);
  }

  #endTransaction(log: Log): void {
    if (this.#transactionStart < 0) return;
    const type = this.random.chance(0.5) ? 'abort' : 'commit';
    const timestampMs = this.#clock.nowMs();
    // Before the append: one that fails may be in the log all the same, and if it is not, the transaction is open again.
    for (const record of this.#records) {
      if (type === 'abort' && record.producerId === 7 && record.offset >= this.#transactionStart)
        record.isAborted = true;
    }
    log.append(
      encodeTransactionMarker({ type, producerId: 7, producerEpoch: 0, coordinatorEpoch: 1, timestampMs }),
      { leaderEpoch: 0, origin: 'coordinator' },
    );
    this.#transactionStart = -1;
    this.#moved(log);
  }

  #moved(log: Log): void {
    this.#end = log.logEndOffset;
    log.updateHighWatermark(this.#end);
  }

  async #flush(log: Log): Promise<void> {
    await log.flush();
    this.#acknowledged = this.#end;
  }

  /** A compaction goes on while other steps are taken; sometimes it is waited for. */
  async #compact(log: Log): Promise<void> {
    await this.#compaction;
    if (this.random.chance(0.5)) await this.#flush(log);
    this.#compaction = this.#manager!.compactNow();
    this.compactions++;
    if (this.random.chance(0.7)) await this.#compaction;
    if (!log.isOffline) await this.#check();
  }

  /** A call will fail, of the log or of its directory; or the disk is full soon. */
  #breakDisk(): void {
    if (this.random.chance(0.2))
      return this.disk.setCapacity(this.disk.usedBytes() + this.random.nextInt(3000));
    const operation = OPERATIONS[this.random.nextInt(OPERATIONS.length)]!;
    const path = this.random.chance(0.7) ? `${DIR}/orders-0` : DIR;
    const code = this.random.chance(0.5) ? 'EIO' : 'ENOSPC';
    this.disk.inject({ operation, path, code, after: this.random.nextInt(4) });
  }

  async #restart(how: 'crash' | 'power cut' | 'clean'): Promise<void> {
    this.disk.setCapacity(Infinity);
    if (how === 'clean') {
      this.disk.clearFaults();
      await this.#manager!.close();
      if (!this.#log!.isOffline) {
        checkFolder(this.disk, `${DIR}/orders-0`);
        await expectSound(this.disk, DIR);
      }
    } else if (how === 'crash') this.disk.crash();
    else this.disk.cutPower();
    await this.#compaction;
    await this.start();
    const log = this.#log!;
    expect(log.logEndOffset, how).toBeGreaterThanOrEqual(this.#acknowledged);
    expect(log.logEndOffset, how).toBeLessThanOrEqual(Math.max(this.#end, log.logEndOffset));
    this.#end = log.logEndOffset;
    this.#acknowledged = this.#end;
    this.#records = this.#records.filter(({ offset }) => offset < this.#end);
    this.#adoptTransactions(log);
    await this.#check();
  }

  /** What a crash left undecided is undecided again; whether the marker was lost, the log knows. */
  #adoptTransactions(log: Log): void {
    const active = log.activeProducers().find(({ producerId }) => producerId === 7);
    this.#sequence = (active?.lastSequence ?? -1) + 1;
    this.#transactionStart = active?.currentTxnStartOffset ?? -1;
    for (const record of this.#records) {
      if (this.#transactionStart >= 0 && record.offset >= this.#transactionStart) record.isAborted = false;
    }
  }

  /** Reads the log as a read_committed consumer that builds a table would, and compares. */
  async #check(): Promise<void> {
    const log = this.#log!;
    const { found, seen } = await readTable(log, this.#end);
    const known = new Map(this.#records.map((record) => [record.offset, record]));
    for (const [offset, { key, value }] of seen) {
      expect({ key, value }, `record at ${offset}`).toEqual({
        key: known.get(offset)?.key,
        value: known.get(offset)?.value,
      });
    }
    const stable = log.lastStableOffset;
    const expected = new Map<string, string | null>();
    for (const record of this.#records) {
      if (!record.isAborted && record.offset < stable) expected.set(record.key, record.value);
    }
    // A tombstone may be gone; what it deleted may not come back.
    for (const [key, value] of expected) expect(found.get(key) ?? null, `key ${key}`).toBe(value);
    for (const key of found.keys()) expect(expected.has(key), `key ${key}`).toBe(true);
  }

  async finish(): Promise<void> {
    if (this.#log!.isOffline) await this.#restart('crash');
    await this.#restart('clean');
  }
}

async function readTable(log: Log, end: number) {
  const found = new Map<string, string | null>();
  const seen = new Map<number, { key: string; value: string | null }>();
  const stable = log.lastStableOffset;
  const aborted = log.transactions.collectAborted(log.logStartOffset, end);
  const aborting = new Set<number>();
  for (let offset = log.logStartOffset; offset < end;) {
    const result = await log.read(offset, ALL);
    // Offsets at the end of what compaction left may be empty, the log's end is not.
    if (result.sizeInBytes === 0) throw new Error(`Nothing to read at ${offset} of ${end}`);
    expect(result.nextOffset).toBeGreaterThan(offset);
    for (const buffer of result.batches) {
      for (const batch of iterateBatches(buffer)) {
        for (const txn of aborted)
          if (txn.firstOffset <= batch.lastOffset && txn.firstOffset >= 0) {
            aborting.add(txn.producerId);
            (txn as { firstOffset: number }).firstOffset = -1;
          }
        if (batch.isControl) {
          aborting.delete(batch.producerId);
          continue;
        }
        for (const record of decodeRecords(buffer, batch.position)) {
          const key = record.key!.toString();
          const value = record.value?.toString() ?? null;
          expect(seen.has(record.offset), `offset ${record.offset} twice`).toBe(false);
          seen.set(record.offset, { key, value });
          if (record.offset >= stable) continue;
          if (!(batch.isTransactional && aborting.has(batch.producerId))) found.set(key, value);
        }
      }
    }
    offset = result.nextOffset;
  }
  return { found, seen };
}
