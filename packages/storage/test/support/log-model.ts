import { SeededRandom, SimClock, SimDisk } from '@ottla/platform';
import { encodeBatch, encodeTransactionMarker, iterateBatches } from '@ottla/protocol';
import { expect } from 'vitest';
import { LogError, type ActiveProducer, type Log, type LogConfig, type LogManager } from '../../src/index.ts';
import { ProducerState } from '../../src/producers/producer-state.ts';
import { readTransactionMarker } from '../../src/producers/transaction-marker.ts';
import { expectSound } from './expect-sound.ts';
import { ALL, client, logConfig, OPERATIONS, openManager, TP } from './fixtures.ts';
import { ProcessClock } from './process-clock.ts';
import { checkFolder } from './folder-check.ts';

const DIR = '/data';
const FOLDER = `${DIR}/orders-0`;

interface ModelProducer {
  readonly id: number;
  sequence: number;
  isInTransaction: boolean;
}

/**
 * Drives one log with random operations on a simulated disk, next to a plain list of the batches it must contain, and
 * compares the two after every restart.
 */
export class LogModel {
  readonly random: SeededRandom;
  readonly disk: SimDisk;
  readonly #clock = new SimClock();
  readonly #config: LogConfig;
  #process = new ProcessClock(this.#clock);
  #manager: LogManager | null = null;
  #log: Log | null = null;
  /** The batches as they should be, by base offset. */
  #batches: { base: number; end: number; bytes: Buffer }[] = [];
  /** Also what truncation removed: a power cut may bring it back where the truncation was not synced. */
  #acceptable = new Map<number, Buffer[]>();
  #producers: ModelProducer[] = [];
  /** Everything below was durable: a power cut leaves it. */
  #acknowledged = 0;
  /** Everything below was in the file: the end of the process leaves it. */
  #written = 0;
  #logStart = 0;
  #hasTruncated = false;
  #isBroken = false;
  readonly #pending = new Set<Promise<void>>();

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.disk = new SimDisk({
      random: this.random,
      clock: this.#clock,
      delay: () => new Promise((resolve) => setImmediate(resolve)),
    });
    this.#config = logConfig({
      segmentBytes: 1500 + this.random.nextInt(2500),
      indexIntervalBytes: 100 + this.random.nextInt(300),
      segmentIndexBytes: this.random.chance(0.3) ? 60 : 10_000,
      fileDeleteDelayMs: 10,
      retentionBytes: this.random.chance(0.3) ? 6000 : -1,
    });
    for (let id = 0; id < 3; id++)
      this.#producers.push({ id: 100 + id, sequence: 0, isInTransaction: false });
  }

  get #end(): number {
    return this.#batches.at(-1)?.end ?? this.#logStart;
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
      tailCacheBytes: this.random.chance(0.5) ? 1000 : 1_000_000,
    });
    this.#log = this.#manager.getOrCreate(TP, null, this.#config);
    this.#isBroken = false;
  }

  async step(): Promise<void> {
    const log = this.#log!;
    const dice = this.random.nextInt(100);
    log.updateHighWatermark(log.writtenOffset);
    if (this.#isBroken) return this.restart(this.random.chance(0.5) ? 'crash' : 'power cut');
    try {
      if (dice < 60) this.#append(log);
      else if (dice < 72) this.#flush(log);
      else if (dice < 76) log.roll();
      else if (dice < 79) this.#clock.advance(this.random.nextInt(2000));
      else if (dice < 82) this.#retention(log);
      else if (dice < 84) this.#deleteRecords(log);
      else if (dice < 86) await this.#truncate(log);
      else if (dice < 90) await this.#readAnywhere(log);
      else if (dice < 91) await log.nextWrite();
      else if (dice < 92) await Promise.all(this.#pending);
      else if (dice < 93) this.#breakDisk();
      else if (dice < 96) await this.restart('crash');
      else if (dice < 99) await this.restart('power cut');
      else await this.restart('clean');
    } catch (error) {
      // A failed disk call takes the directory offline; anything else is a finding.
      if (!(error instanceof LogError && error.errorCode === 56)) throw error;
      this.#isBroken = true;
    }
  }

  #append(log: Log): void {
    const producer = this.#producers[this.random.nextInt(this.#producers.length)]!;
    const count = 1 + this.random.nextInt(4);
    const isMarker = producer.isInTransaction && this.random.chance(0.4);
    const isTransactional = producer.isInTransaction || (producer.id === 102 && !isMarker);
    const timestamp = this.#clock.nowMs() + this.random.nextInt(1000) - 500;
    const bytes = isMarker
      ? encodeTransactionMarker({
          type: this.random.chance(0.5) ? 'abort' : 'commit',
          producerId: producer.id,
          producerEpoch: 0,
          coordinatorEpoch: 1,
          timestampMs: timestamp,
        })
      : encodeBatch({
          records: Array.from({ length: count }, () => ({
            timestamp,
            value: Buffer.from(this.random.uuid().repeat(1 + this.random.nextInt(6))),
          })),
          ...(this.random.chance(0.5) || isTransactional
            ? { producerId: producer.id, producerEpoch: 0, baseSequence: producer.sequence, isTransactional }
            : {}),
        });
    const hasProducer = bytes.readBigInt64BE(43) >= 0n;
    const origin = isMarker ? 'coordinator' : 'client';
    const patched = Buffer.from(bytes);
    patched.writeBigInt64BE(BigInt(this.#end), 0);
    patched.writeInt32BE(0, 12);
    // Also an append that fails may be in the log afterwards: nobody was told that it is.
    this.#acceptable.set(this.#end, [...(this.#acceptable.get(this.#end) ?? []), patched]);
    // The log gets its own copy: it may keep the buffer, and patches it.
    const info = log.append(bytes, { ...client, origin, isDeferred: this.random.chance(0.5) });
    expect(info.firstOffset).toBe(this.#end);
    if (isMarker) producer.isInTransaction = false;
    else if (hasProducer) {
      producer.sequence += count;
      if (isTransactional) producer.isInTransaction = true;
    }
    this.#batches.push({ base: info.firstOffset, end: info.lastOffset + 1, bytes: patched });
    log.updateHighWatermark(log.writtenOffset);
  }

  #flush(log: Log): void {
    const wanted = this.#end;
    const generation = this.disk.generation;
    const flush = log.flush().then(
      (end) => {
        expect(end).toBeGreaterThanOrEqual(Math.min(wanted, this.#end));
        if (generation === this.disk.generation && !this.#hasTruncated) {
          this.#acknowledged = Math.max(this.#acknowledged, log.flushedOffset);
        }
      },
      () => {
        if (log === this.#log) this.#isBroken = true;
      },
    );
    this.#pending.add(flush);
    void flush.finally(() => this.#pending.delete(flush));
  }

  #retention(log: Log): void {
    log.deleteOldSegments();
    this.#adoptStart(log.logStartOffset);
  }

  #deleteRecords(log: Log): void {
    const committed = log.highWatermark - this.#logStart;
    const to = this.#logStart + this.random.nextInt(Math.max(1, Math.floor(committed / 3)));
    log.maybeIncrementLogStartOffset(to);
    log.deleteOldSegments();
    this.#adoptStart(log.logStartOffset);
  }

  #adoptStart(offset: number): void {
    this.#logStart = Math.max(this.#logStart, offset);
  }

  async #truncate(log: Log): Promise<void> {
    do await log.nextWrite();
    while (log.writtenOffset < log.logEndOffset);
    // A leader of its own never truncates what it has acknowledged; producers would have to begin anew, so none is open.
    const floor = Math.max(this.#acknowledged, this.#logStart);
    if (this.#end <= floor || this.#producers.some((each) => each.sequence > 0 || each.isInTransaction))
      return;
    const to = floor + this.random.nextInt(this.#end - floor);
    log.truncateTo(to);
    this.#hasTruncated = true;
    this.#batches = this.#batches.filter((batch) => batch.end <= to);
    expect(log.logEndOffset).toBe(this.#batches.at(-1)?.end ?? log.logEndOffset);
  }

  async #readAnywhere(log: Log): Promise<void> {
    if (this.#end === this.#logStart) return;
    const offset = this.#logStart + this.random.nextInt(this.#end - this.#logStart);
    const maxBytes = 1 + this.random.nextInt(3000);
    const result = await log.read(offset, { ...ALL, maxBytes });
    const expected = this.#batches.filter((batch) => batch.end > offset && batch.end <= result.nextOffset);
    expect(Buffer.concat(result.batches)).toEqual(Buffer.concat(expected.map((batch) => batch.bytes)));
    expect(expected.length).toBeGreaterThan(0);
    const newest = Math.max(
      ...this.#batches.filter((b) => b.end > this.#logStart).map((b) => Number(b.bytes.readBigInt64BE(35))),
    );
    expect((await log.offsetOfMaxTimestamp()).timestamp).toBe(newest);
  }

  /** A call will fail, of the log or of its directory; or the disk is full soon. */
  #breakDisk(): void {
    if (this.random.chance(0.2))
      return this.disk.setCapacity(this.disk.usedBytes() + this.random.nextInt(3000));
    const operation = OPERATIONS[this.random.nextInt(OPERATIONS.length)]!;
    const path = this.random.chance(0.7) ? FOLDER : DIR;
    const after = this.random.nextInt(4);
    this.disk.inject({ operation, path, after, code: this.random.chance(0.5) ? 'EIO' : 'ENOSPC' });
  }

  async restart(wanted: 'crash' | 'power cut' | 'clean'): Promise<void> {
    this.disk.setCapacity(Infinity);
    if (wanted === 'clean') {
      this.disk.clearFaults();
      // A call that has failed just now is told of only at its end.
      await Promise.all([...this.#pending, this.#log!.nextWrite().catch(() => {})]);
    }
    const wasBroken = this.#isBroken || this.#log!.isOffline;
    const how = wasBroken && wanted === 'clean' ? 'crash' : wanted;
    const old = this.#manager!;
    this.#written = this.#log!.writtenOffset;
    if (how === 'clean') {
      await old.close();
      checkFolder(this.disk, FOLDER);
      await expectSound(this.disk, DIR);
    } else {
      if (how === 'crash') this.disk.crash();
      else this.disk.cutPower();
      // What the dead process still has to say concerns nobody.
      await Promise.all(this.#pending);
      // A crash of the process alone leaves what was written, however torn its end: nothing that was known is missing.
      if (how === 'crash' && !wasBroken && !this.#hasTruncated) await expectSound(this.disk, DIR);
    }
    await this.start();
    this.#verify(how, wasBroken);
    await this.#adopt(how);
  }

  #verify(how: 'crash' | 'power cut' | 'clean', wasBroken: boolean): void {
    const log = this.#log!;
    expect(log.logEndOffset, how).toBeGreaterThanOrEqual(this.#acknowledged);
    if (!wasBroken)
      expect(log.logEndOffset, how).toBeLessThanOrEqual(this.#hasTruncated ? Infinity : this.#end);
    if (how === 'crash' && !wasBroken) expect(log.logEndOffset, how).toBeGreaterThanOrEqual(this.#written);
    if (how === 'clean' && !wasBroken) expect(log.logEndOffset, how).toBe(this.#end);
    expect(log.logStartOffset, how).toBeLessThanOrEqual(Math.max(this.#logStart, log.logEndOffset));
  }

  /** The recovered log is a prefix of what was appended; the model goes on from there. */
  async #adopt(how: 'crash' | 'power cut' | 'clean'): Promise<void> {
    const log = this.#log!;
    const recovered: { base: number; end: number; bytes: Buffer }[] = [];
    const state = new ProducerState();
    let offset = log.logStartOffset;
    while (offset < log.logEndOffset) {
      const result = await log.read(offset, ALL);
      expect(result.nextOffset, 'a gap in the log').toBeGreaterThan(offset);
      for (const buffer of result.batches) {
        for (const batch of iterateBatches(buffer)) {
          const bytes = buffer.subarray(batch.position, batch.position + batch.sizeInBytes);
          const acceptable = this.#acceptable.get(batch.baseOffset) ?? [];
          expect(
            acceptable.some((each) => each.equals(bytes)),
            `unknown batch at ${batch.baseOffset}`,
          ).toBe(true);
          recovered.push({ base: batch.baseOffset, end: batch.lastOffset + 1, bytes: Buffer.from(bytes) });
        }
      }
      offset = result.nextOffset;
    }
    // Batches below the log start have gone from the log but not from the producers.
    const all = [
      ...this.#batches.filter((batch) => batch.end <= (recovered[0]?.base ?? log.logEndOffset)),
      ...recovered,
    ];
    for (const { bytes } of all) {
      for (const batch of iterateBatches(bytes)) state.apply(batch, readTransactionMarker(bytes, batch));
    }
    if (!this.#hasTruncated) {
      // A power cut may take snapshots, and with them producers of whom the log holds no record any more.
      const present = new Set<number>();
      for (const { bytes } of recovered) {
        for (const batch of iterateBatches(bytes)) if (!batch.isControl) present.add(batch.producerId);
      }
      const startOf = new Map(
        state.activeProducers().map((each) => [each.producerId, each.currentTxnStartOffset]),
      );
      const comparable = (producers: ActiveProducer[]): unknown[] =>
        producers
          .filter((each) => present.has(each.producerId))
          .sort((a, b) => a.producerId - b.producerId)
          .map((each) => ({
            id: each.producerId,
            epoch: each.producerEpoch,
            lastSequence: each.lastSequence,
            // Where a transaction began below the log start may be lost, that it is open may not.
            txnStart:
              (startOf.get(each.producerId) ?? -1) >= log.logStartOffset
                ? each.currentTxnStartOffset
                : each.currentTxnStartOffset >= 0,
          }));
      expect(comparable(log.activeProducers()), how).toEqual(comparable(state.activeProducers()));
    }
    this.#batches = all;
    this.#acceptable = new Map(all.map((batch) => [batch.base, [batch.bytes]]));
    this.#acknowledged = log.logEndOffset;
    this.#logStart = log.logStartOffset;
    this.#hasTruncated = false;
    if (all.length === 0) this.#logStart = log.logEndOffset;
    log.updateHighWatermark(log.logEndOffset);
    const active = new Map(log.activeProducers().map((each) => [each.producerId, each]));
    for (const producer of this.#producers) {
      const entry = active.get(producer.id);
      producer.sequence = (entry?.lastSequence ?? -1) + 1;
      producer.isInTransaction = (entry?.currentTxnStartOffset ?? -1) >= 0;
    }
  }
}
