/**
 * Writes a log directory with every kind of file and batch, for Kafka's DumpLogSegments or a Kafka broker to read:
 * `npx tsc -b && node packages/storage/scripts/sample-logs.mjs DIR`. Topics: `mixed` (all compressions, idempotent,
 * several segments) and `transactions` (committed and aborted ones, one left open).
 */
import { NodeClock, NodeDisk, NodeRandom } from '@ottla/platform';
import { encodeBatch, encodeTransactionMarker } from '@ottla/protocol';
import { DEFAULT_LOG_CONFIG, LogManager } from '@ottla/storage';

const [dir] = process.argv.slice(2);
if (dir === undefined) throw new Error('Usage: sample-logs.mjs DIR');
const config = { ...DEFAULT_LOG_CONFIG, segmentBytes: 200_000 };
const manager = await LogManager.open({
  disk: new NodeDisk(),
  clock: new NodeClock(),
  random: new NodeRandom(),
  dirs: [dir],
  nodeId: 1,
  clusterId: null,
  configFor: () => config,
  onDirFailure: (path, error) => console.error(`${path} is offline:`, error),
});
const recordsOf = (count, text) =>
  Array.from({ length: count }, (_, i) => ({
    timestamp: Date.now() + i,
    key: Buffer.from(`key-${i}`),
    value: Buffer.from(`${text}-${i}-`.repeat(10)),
    headers: [{ key: 'source', value: Buffer.from('sample') }],
  }));

const mixed = manager.getOrCreate({ topic: 'mixed', partition: 0 }, new NodeRandom().uuid(), config);
let sequence = 0;
for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
  for (let i = 0; i < 60; i++) {
    const producer = { producerId: 1000, producerEpoch: 0, baseSequence: sequence };
    const batch = encodeBatch({ records: recordsOf(50, compression), compression, ...producer });
    mixed.append(batch, { leaderEpoch: 1, origin: 'client' });
    sequence += 50;
  }
}

const log = manager.getOrCreate({ topic: 'transactions', partition: 0 }, new NodeRandom().uuid(), config);
const producer = { producerId: 2000, producerEpoch: 0 };
for (let i = 0; i < 9; i++) {
  const batch = encodeBatch({
    records: recordsOf(5, 'txn'),
    ...producer,
    baseSequence: i * 5,
    isTransactional: true,
  });
  log.append(batch, { leaderEpoch: 1, origin: 'client' });
  if (i === 8) break;
  const type = i % 2 === 0 ? 'commit' : 'abort';
  const marker = encodeTransactionMarker({ ...producer, type, coordinatorEpoch: 3, timestampMs: Date.now() });
  log.append(marker, { leaderEpoch: 1, origin: 'coordinator' });
}
for (const each of manager.allLogs()) {
  each.updateHighWatermark(each.logEndOffset);
  console.log(`${each.folder}: offsets 0 to ${each.logEndOffset}, ${each.segmentCount} segments`);
}
await manager.close();
