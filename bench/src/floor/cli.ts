import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { generate } from '../case.ts';
import { measured } from '../process-usage.ts';
import { median } from '../statistics.ts';
import { bareModes, type BareMode } from './bare-modes.ts';

/** As large as the answers in the saturating cases: six partitions with 1 MiB each. */
const ANSWER_BYTES = 6 * 1024 * 1024;
const SECONDS = 4;

interface Floor {
  readonly megabytesPerSecond: number;
  readonly cpuSecondsPerGb: number;
}

async function measure(mode: BareMode): Promise<Floor> {
  const script = fileURLToPath(new URL('./bare-server.js', import.meta.url));
  const server = spawn(process.execPath, [script, mode, String(ANSWER_BYTES)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const port = await new Promise<number>((resolve, reject) => {
      server.once('error', reject);
      server.stdout.once('data', (text: Buffer) => resolve(Number(text.toString())));
    });
    const plan = {
      mode: 'fetch',
      port,
      topic: 'floor',
      partitionCount: 6,
      recordBytes: 1000,
      batchBytes: 65_536,
      batchesPerRequest: 6,
      connectionCount: 4,
      inFlight: 2,
      seconds: SECONDS,
    } as const;
    const { result, usage } = await measured(server.pid!, () => generate(plan));
    return {
      megabytesPerSecond: result.bytes / 1e6 / result.seconds,
      cpuSecondsPerGb: usage.cpuSeconds / (result.bytes / 1e9),
    };
  } finally {
    server.stdin.end();
  }
}

const rounds = Number(process.argv[2] ?? 3);
const figures = new Map<BareMode, Floor[]>(bareModes.map((mode) => [mode, []]));
for (let round = 0; round < rounds; round++) {
  for (const mode of bareModes) {
    process.stderr.write(`  round ${round + 1}/${rounds}  ${mode}\n`);
    figures.get(mode)!.push(await measure(mode));
  }
}
const drawn = new Table({ head: ['bare Node server', 'MB/s', 'cpu s/GB'], style: { head: [], border: [] } });
for (const [mode, found] of figures) {
  drawn.push([
    mode,
    median(found.map(({ megabytesPerSecond }) => megabytesPerSecond)).toFixed(0),
    median(found.map(({ cpuSecondsPerGb }) => cpuSecondsPerGb)).toFixed(3),
  ]);
}
process.stdout.write(`${drawn.toString()}\n`);
