import { SeededRandom, SimClock, SimDisk } from '@ottla/platform';
import {
  encodeBatch,
  iterateBatches,
  ProtocolError,
  validateBatchCrc,
  type BatchSummary,
} from '@ottla/protocol';
import { expect, test } from 'vitest';
import { checkLogDirs, type LogProblem } from '../../src/index.ts';
import { ALL, client, logConfig, openManager, TP } from '../support/fixtures.ts';

const CONFIG = { segmentBytes: 3000, indexIntervalBytes: 200 };
const FLIPS = Number(process.env['OTTLA_FLIPS'] ?? 80);

async function buildDisk(seed: number): Promise<{ disk: SimDisk; clock: SimClock; batches: Buffer[] }> {
  const clock = new SimClock();
  const disk = new SimDisk({ clock, random: new SeededRandom(seed) });
  const manager = await openManager(['/data'], { disk, clock, config: CONFIG });
  const log = manager.getOrCreate(TP, 'AAAAAAAAAAAAAAAAAAAAAQ', logConfig(CONFIG));
  for (let i = 0; i < 40; i++) {
    const records = [{ timestamp: clock.nowMs() + i, value: Buffer.from(`value-${i}-`.repeat(20)) }];
    log.append(encodeBatch({ records, producerId: 1, producerEpoch: 0, baseSequence: i }), client);
  }
  log.updateHighWatermark(40);
  const { batches } = await log.read(0, ALL);
  const all = Buffer.concat(batches);
  await manager.close();
  const pieces = [...iterateBatches(all)].map((each) =>
    all.subarray(each.position, each.position + each.sizeInBytes),
  );
  return { disk, clock, batches: pieces };
}

/** The batches up to the first that makes no sense: a consumer stops there. */
function wholeBatches(buffer: Buffer): BatchSummary[] {
  const found: BatchSummary[] = [];
  try {
    for (const each of iterateBatches(buffer)) found.push(each);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
  return found;
}

/**
 * One flipped bit in any file, found at a start after a crash: the log is either refused with a typed error, or ends
 * early, or gives exactly the batches that were written. Never other bytes, never an unexpected exception.
 */
test('one flipped bit anywhere is detected or harmless', async () => {
  const random = new SeededRandom(11);
  const outcomes = { refused: 0, whole: 0, cut: 0 };
  for (let i = 0; i < FLIPS; i++) {
    const { disk, clock, batches } = await buildDisk(i);
    const files = disk
      .listSync('/data/orders-0')
      .filter((name) => disk.sizeSync(`/data/orders-0/${name}`) > 0);
    const file = `/data/orders-0/${files[random.nextInt(files.length)]!}`;
    const [position, bit] = [random.nextInt(disk.sizeSync(file)), random.nextInt(8)];
    const isCrash = random.chance(0.5);
    disk.flipBit(file, position, bit);
    if (isCrash) disk.unlinkSync('/data/.kafka_cleanshutdown');
    const where = `flip ${i}: bit ${bit} at ${position} of ${file}, ${isCrash ? 'crash' : 'clean'}`;
    const findings: string[] = [];
    const onProblem = ({ kind, problem }: LogProblem): void => void findings.push(`${kind}: ${problem}`);
    await checkLogDirs({ disk, dirs: ['/data'], onProblem });
    const errors: string[] = [];
    const again = await openManager(['/data'], {
      disk,
      clock,
      config: CONFIG,
      onDamagedLog: (_, error) => errors.push(error.file),
      onDirFailure: (_, error) => errors.push(String(error)),
    }).catch((error: Error) => void errors.push(error.message));
    const log = again?.get(TP);
    if (again === undefined || log === undefined) {
      expect(errors.join(), where).toContain(file);
      expect(findings, `${where}: refused, so a check has to find it`).not.toEqual([]);
      outcomes.refused++;
      continue;
    }
    let next = 0;
    for (let offset = 0; offset < log.logEndOffset;) {
      const result = await Promise.resolve(log.read(offset, ALL)).catch((error: Error) => error);
      if (result instanceof Error || result.sizeInBytes === 0) {
        expect(again.dirs()[0]!.online, `${where}: damage in one log takes no directory offline`).toBe(true);
        break;
      }
      for (const buffer of result.batches) {
        for (const each of wholeBatches(buffer)) {
          const bytes = buffer.subarray(each.position, each.position + each.sizeInBytes);
          // What was durable is not read at start: there the CRC check of the consumers finds the flip.
          if (
            validateBatchCrc(buffer, each.position) &&
            !bytes.subarray(16).equals(batches[next]!.subarray(16))
          )
            throw new Error(`${where}: other bytes`);
          next++;
        }
      }
      offset = result.nextOffset;
    }
    const isWhole = next === batches.length;
    outcomes[isWhole ? 'whole' : 'cut']++;
    if (!isWhole) expect(findings, `${where}: cut, so a check has to find it`).not.toEqual([]);
  }
  expect(outcomes.whole).toBeGreaterThan(0);
  expect(outcomes.refused).toBeGreaterThan(0);
}, 600_000);
