import { NodeDisk } from '@ottla/platform';
import type { Command, CommanderError } from 'commander';
import { collect } from '../collect.ts';
import { bytesText, ProgressLine } from '../terminal/progress-line.ts';
import {
  ClusterExitCode,
  runLocally,
  UsageError,
  wholeNumber,
  withOutputOptions,
  type OutputOptions,
} from '../cluster/run-on-cluster.ts';
import { VerifyOutput } from '../verify/verify-output.ts';
import { wantedPartitions } from '../verify/wanted-partitions.ts';

/** Ends a check that could not be made: asked for wrongly, or a broker is running. Damage has the code 1. */
const NOT_CHECKED = 2;

interface VerifyOptions extends OutputOptions {
  readonly config?: string;
  readonly topic: readonly string[];
  readonly partition?: number;
  readonly shallow?: boolean;
  readonly quiet?: boolean;
  readonly force?: boolean;
}

/** `ottla verify`: whether log directories are sound, while no broker runs in them. */
export function registerVerify(program: Command): void {
  const command = program
    .command('verify [folders...]')
    .description('check log directories, of Ottla or of Kafka, while no broker runs there; changes nothing')
    .option('--config <server.properties>', 'the directories that log.dirs names in there')
    .option('-t, --topic <topic>', 'only partitions of this topic; may be repeated', collect, [])
    .option('-p, --partition <number>', 'only partitions with this number', wholeNumber)
    .option('--shallow', 'only headers and CRCs of batches, without opening their records')
    .option('-q, --quiet', 'nothing about partitions that are sound, no remarks')
    .option('--force', 'although a broker is running: what it is writing may look damaged');
  withOutputOptions(command)
    .addHelpText(
      'after',
      [
        '\nA folder is a log directory, or that of a single partition. The directories of one broker belong together.',
        'Exit codes: 0 sound, 1 something is damaged, 2 not checked.',
        '\nExamples:',
        '  ottla verify data',
        '  ottla verify --config server.properties --topic orders',
        '  ottla verify data/orders-0 --jsonl',
      ].join('\n'),
    )
    .exitOverride(endWithOwnCode)
    .action((folders: string[], options: VerifyOptions) => runVerify(folders, options));
}

/** An option that does not exist is no damage. */
function endWithOwnCode(error: CommanderError): never {
  process.exit(error.exitCode === 0 ? 0 : NOT_CHECKED);
}

async function runVerify(folders: readonly string[], options: VerifyOptions): Promise<void> {
  let isChecked = false;
  await runLocally(async () => {
    const problemCount = await verify(folders, options);
    isChecked = true;
    if (problemCount > 0) process.exitCode = ClusterExitCode.failed;
  });
  if (!isChecked) process.exitCode = NOT_CHECKED;
}

async function verify(folders: readonly string[], options: VerifyOptions): Promise<number> {
  const { checkLogDirs, lockedDirs } = await import('@ottla/storage');
  const disk = new NodeDisk();
  const { dirs, isWanted } = await wantedPartitions(disk, folders, options);
  const [running] = lockedDirs(disk, dirs);
  if (running !== undefined && options.force !== true)
    throw new UsageError(
      `A broker is running in "${running}": stop it, or check all the same with --force; what it is writing may look damaged`,
    );
  const progress = new ProgressLine();
  const output = new VerifyOutput(options, progress);
  const report = await checkLogDirs({
    disk,
    dirs,
    ...(isWanted !== null && { isWanted }),
    isShallow: options.shallow === true,
    onProblem: (problem) => output.problem(problem),
    onPartition: (partition) => output.partition(partition),
    onProgress: ({ checkedCount, partitionCount, readBytes, totalBytes, partition }) =>
      progress.update(
        () =>
          `${checkedCount} of ${partitionCount} partitions, ${bytesText(readBytes)} of ${bytesText(totalBytes)}, ${partition}`,
      ),
  });
  if (isWanted !== null && report.partitionCount === 0 && report.problemCount === 0)
    throw new UsageError('No partition there is one of those that were asked for');
  await output.end(report);
  return report.problemCount;
}
