import { allMessages, decodeMessage, encodeMessage, ProtocolError } from '../dist/index.js';
import { mutate, randomMessage, seededRandom } from '../dist/testing/index.js';

/**
 * Decodes mutated frames of every message at every version: `npm run fuzz -- [frames] [seed]`. Each must be refused with a
 * ProtocolError or decode to a value that encodes again. Ends with a line of JSON; the exit code says whether all held.
 */
const frames = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? Math.floor(Math.random() * 2 ** 31));
const random = seededRandom(seed);
const targets = allMessages.flatMap((schema) => {
  const { minVersion, maxVersion } = schema;
  return Array.from({ length: maxVersion - minVersion + 1 }, (_, index) => ({
    schema,
    version: minVersion + index,
  }));
});
/** Mutations of one message before the next is made. */
const PER_MESSAGE = 50;
const SLOW_MS = 2;
const report = {
  frames: 0,
  refused: 0,
  decoded: 0,
  failures: 0,
  slowFrames: 0,
  slowestMs: 0,
  heapGrowthMb: 0,
  seed,
};
const heapBefore = process.memoryUsage().heapUsed;
let nextNewsMs = performance.now() + 5000;

while (report.frames < frames) {
  const { schema, version } = targets[random.nextInt(targets.length)];
  const bytes = encodeMessage(schema, version, randomMessage(schema, version, random));
  for (let i = 0; i < PER_MESSAGE; i++) tryFrame(schema, version, mutate(bytes, random));
  if (performance.now() < nextNewsMs) continue;
  nextNewsMs += 5000;
  process.stderr.write(`  ${report.frames} of ${frames} frames, ${report.refused} refused\n`);
}
report.heapGrowthMb = Math.max(0, Math.round((process.memoryUsage().heapUsed - heapBefore) / 1e6));
console.log(JSON.stringify(report));
process.exitCode = report.failures === 0 ? 0 : 1;

function tryFrame(schema, version, frame) {
  report.frames++;
  const begun = performance.now();
  try {
    const value = decodeMessage(schema, version, frame);
    report.decoded++;
    encodeMessage(schema, version, value);
  } catch (error) {
    if (error instanceof ProtocolError) report.refused++;
    else if (report.failures++ < 20) {
      console.error(
        `${schema.name} v${version} ${frame.toString('hex')} (seed ${seed}): ${error?.stack ?? error}`,
      );
    }
  }
  const tookMs = performance.now() - begun;
  if (tookMs > SLOW_MS) report.slowFrames++;
  report.slowestMs = Math.max(report.slowestMs, Math.round(tookMs * 100) / 100);
}
