import { environmentVariable } from '@ottla/platform';
import type { Command } from 'commander';
import { wholeNumber } from '../cluster/run-on-cluster.ts';

interface DevOptions {
  readonly port: number;
  readonly inMemory?: boolean;
  readonly dir: string;
}

const DEFAULT_PORT = 9092;

/** `ottla dev`: everything that a developer needs, on this machine only. */
export function registerDev(program: Command): void {
  program
    .command('dev')
    .description('start a broker to develop against, and say where it is and what to try')
    .option('-p, --port <port>', 'on 127.0.0.1; 0 is any free one', wholeNumber, DEFAULT_PORT)
    .option('--in-memory', 'keep nothing: data is gone at the end')
    .option('--dir <folder>', 'where data lies otherwise', './data')
    .addHelpText('after', '\nExample:\n  ottla dev --in-memory')
    .action((options: DevOptions) => runDev(options));
}

async function runDev({ port, dir, inMemory }: DevOptions): Promise<void> {
  const { MemoryDisk, NodeClock } = await import('@ottla/platform');
  const { serveBroker } = await import('../serve-broker.ts');
  const isInMemory = inMemory === true;
  await serveBroker({
    broker: () => ({
      properties: {
        listeners: `PLAINTEXT://127.0.0.1:${port}`,
        'log.dirs': isInMemory ? '/ottla' : dir,
        'group.initial.rebalance.delay.ms': '0',
      },
      ...(isInMemory && { disk: new MemoryDisk({ clock: new NodeClock() }) }),
    }),
    welcome: ({ bootstrap }) => welcome(bootstrap, isInMemory ? 'in memory' : `in ${dir}`),
  });
}

function welcome(bootstrap: string, where: string): string {
  // Who came by npx has no `ottla` on the path.
  const ottla = environmentVariable('npm_command') === 'exec' ? 'npx ottla' : 'ottla';
  const address = bootstrap === `127.0.0.1:${DEFAULT_PORT}` ? '' : ` -b ${bootstrap}`;
  return [
    `Kafka is ready on ${bootstrap}, data ${where}. Ctrl-C stops it.`,
    '',
    'Try in another terminal:',
    `  ${ottla} topics create orders -p 3${address}`,
    `  echo 'c-17:12.5' | ${ottla} produce orders -K :${address}`,
    `  ${ottla} consume orders -o beginning -f '%p/%o %k: %s\\n'${address}`,
    '',
  ].join('\n');
}
