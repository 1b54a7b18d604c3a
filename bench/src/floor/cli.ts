import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { generate } from '../case.ts';
import type { GeneratorPlan } from '../generator-plan.ts';
import { unthrottledBytes } from '../page-cache.ts';
import { measured } from '../process-usage.ts';
import { median } from '../statistics.ts';
import { fetchModes, produceModes } from './bare-modes.ts';

/** As large as the answers in the saturating cases: six partitions with 1 MiB each. */
const ANSWER_BYTES = 6 * 1024 * 1024;

interface Floor {
  readonly megabytesPerSecond: number;
  readonly cpuSecondsPerGb: number;
}

interface BareServer {
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
  /** What the generator asks of it, as in the saturating cases. */
  readonly plan: Pick<GeneratorPlan, 'mode' | 'inFlight' | 'seconds' | 'maxBytes'>;
}

function bareServers(): BareServer[] {
  const produce = { mode: 'produce', inFlight: 4, seconds: 6, maxBytes: unthrottledBytes() } as const;
  const fetch = { mode: 'fetch', inFlight: 2, seconds: 4 } as const;
  return [
    ...produceModes.map((mode) => ({
      name: `produce ${mode}`,
      script: './bare-produce-server.js',
      args: [mode],
      plan: produce,
    })),
    ...fetchModes.map((mode) => ({
      name: `fetch ${mode}`,
      script: './bare-fetch-server.js',
      args: [mode, String(ANSWER_BYTES)],
      plan: fetch,
    })),
  ];
}

async function measure({ script, args, plan }: BareServer): Promise<Floor> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const env = { UV_THREADPOOL_SIZE: '16', ...process.env };
  const server = spawn(process.execPath, [path, ...args], { stdio: ['pipe', 'pipe', 'inherit'], env });
  try {
    const port = await new Promise<number>((resolve, reject) => {
      server.once('error', reject);
      server.stdout.once('data', (text: Buffer) => resolve(Number(text.toString())));
    });
    const { result, usage } = await measured(server.pid!, () =>
      generate({
        ...plan,
        port,
        topic: 'floor',
        partitionCount: 6,
        recordBytes: 1000,
        batchBytes: 65_536,
        batchesPerRequest: 6,
        connectionCount: 4,
      }),
    );
    return {
      megabytesPerSecond: result.bytes / 1e6 / result.seconds,
      cpuSecondsPerGb: usage.cpuSeconds / (result.bytes / 1e9),
    };
  } finally {
    server.stdin.end();
  }
}

const rounds = Number(process.argv[2] ?? 3);
const figures = new Map<string, Floor[]>();
for (let round = 0; round < rounds; round++) {
  for (const bare of bareServers()) {
    process.stderr.write(`  round ${round + 1}/${rounds}  ${bare.name}\n`);
    figures.set(bare.name, [...(figures.get(bare.name) ?? []), await measure(bare)]);
  }
}
const drawn = new Table({ head: ['bare Node server', 'MB/s', 'cpu s/GB'], style: { head: [], border: [] } });
for (const [name, found] of figures) {
  drawn.push([
    name,
    median(found.map(({ megabytesPerSecond }) => megabytesPerSecond)).toFixed(0),
    median(found.map(({ cpuSecondsPerGb }) => cpuSecondsPerGb)).toFixed(3),
  ]);
}
process.stdout.write(`${drawn.toString()}\n`);
