/**
 * What one append and one read of the log cost: `npx tsc -b && node packages/storage/bench/append-read.mjs [DIR]`.
 * Compare runs on the same machine only; DIR should be on the disk that matters.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { NodeClock, NodeDisk, NodeRandom } from '@ottla/platform';
import { crc32c, encodeBatch } from '@ottla/protocol';
import { DEFAULT_LOG_CONFIG, LogManager } from '@ottla/storage';

const root = mkdtempSync(path.join(process.argv[2] ?? tmpdir(), 'ottla-bench-'));
const manager = await LogManager.open({
  disk: new NodeDisk(),
  clock: new NodeClock(),
  random: new NodeRandom(),
  dirs: [root],
  nodeId: 1,
  clusterId: null,
  configFor: () => DEFAULT_LOG_CONFIG,
  onDirFailure: (dir, error) => console.error(`${dir} is offline:`, error),
});
const client = { leaderEpoch: 0, origin: 'client' };
let topics = 0;

function report(name, started, { count, bytes }) {
  const ms = performance.now() - started;
  const perCall = ((ms * 1000) / count).toFixed(2);
  console.log(
    `${name.padEnd(44)} ${perCall.padStart(9)} us/call ${((bytes / ms) * 1e-3).toFixed(0).padStart(6)} MB/s`,
  );
}

function appendCase(name, { records, valueBytes, count, compression = 'none' }) {
  const template = encodeBatch({
    compression,
    records: Array.from({ length: records }, (_, i) => ({
      timestamp: Date.now(),
      value: Buffer.alloc(valueBytes, i),
    })),
  });
  const batches = Array.from({ length: count }, () => Buffer.from(template));
  const log = manager.getOrCreate({ topic: `bench-${topics++}`, partition: 0 }, null, DEFAULT_LOG_CONFIG);
  const started = performance.now();
  for (const batch of batches) log.append(batch, client);
  report(`append ${name} (${template.length} B)`, started, { count, bytes: template.length * count });
  const crc = performance.now();
  for (let i = 0; i < count; i++) crc32c(template, 21, template.length);
  report(`  of which CRC-32C`, crc, { count, bytes: template.length * count });
  return log;
}

async function readCase(log, name, maxBytes) {
  const options = { maxBytes, upToOffset: log.logEndOffset, minOneMessage: true };
  let count = 0;
  let bytes = 0;
  const started = performance.now();
  for (let offset = log.logStartOffset; offset < log.logEndOffset;) {
    const result = log.read(offset, options);
    const { nextOffset, sizeInBytes } = result instanceof Promise ? await result : result;
    offset = nextOffset;
    bytes += sizeInBytes;
    count++;
  }
  report(`read ${name}`, started, { count, bytes });
}

for (let warmUp = 0; warmUp < 2; warmUp++)
  appendCase('warm-up', { records: 10, valueBytes: 100, count: 3000 });
appendCase('1 record of 100 B', { records: 1, valueBytes: 100, count: 50_000 });
appendCase('64 KiB of 100 B records', { records: 590, valueBytes: 100, count: 2000 });
appendCase('64 KiB of 1 KB records', { records: 63, valueBytes: 1024, count: 2000 });
appendCase('590 records of 100 B, gzip', { records: 590, valueBytes: 100, count: 2000, compression: 'gzip' });
const large = appendCase('1 MB of 1 KB records', { records: 1000, valueBytes: 1000, count: 300 });
await readCase(large, '1 MiB at a time, mostly from files', 1024 * 1024);
const cached = appendCase('64 KiB of 1 KB records', { records: 63, valueBytes: 1024, count: 800 });
await readCase(cached, '1 MiB at a time, from memory', 1024 * 1024);
await readCase(cached, '64 KiB at a time, from memory', 64 * 1024);
const flush = performance.now();
await cached.flush();
report('flush', flush, { count: 1, bytes: 0 });
await manager.close();
rmSync(root, { recursive: true, force: true });
