import { NodeDisk } from '@ottla/platform';
import { Option, type Command } from 'commander';
import { bytesText, ProgressLine } from '../terminal/progress-line.ts';
import { RowStream } from '../terminal/row-stream.ts';
import {
  ClusterExitCode,
  runLocally,
  wholeNumber,
  withOutputOptions,
  type OutputOptions,
} from '../cluster/run-on-cluster.ts';
import type { DecoderName } from '../dump/record-decoders.ts';

interface DumpOptions extends OutputOptions {
  readonly deepIteration?: boolean;
  readonly printDataLog?: boolean;
  readonly offsetsDecoder?: boolean;
  readonly transactionLogDecoder?: boolean;
  readonly clusterMetadataDecoder?: boolean;
  readonly shareGroupStateDecoder?: boolean;
  readonly skipRecordMetadata?: boolean;
  readonly indexSanityCheck?: boolean;
  readonly verifyIndexOnly?: boolean;
  readonly maxBytes: number;
}

/** `ottla dump-log`: what the files of a log directory hold. */
export function registerDumpLog(program: Command): void {
  const command = program
    .command('dump-log <files...>')
    .description('show what segments, indexes, snapshots and checkpoints hold, of Ottla or of Kafka')
    .option('--deep-iteration', 'records too, not only batches')
    .option('--print-data-log', 'keys and values too; those of internal topics are decoded')
    .option('--skip-record-metadata', 'keys and values alone')
    .option('--index-sanity-check', 'only whether indexes pass the check that a start makes')
    .option('--verify-index-only', 'only what is wrong with indexes')
    .option('--max-bytes <count>', 'read so many bytes of each log at most', wholeNumber, 2 ** 31 - 1);
  for (const [flag, topic] of [
    ['--offsets-decoder', '__consumer_offsets'],
    ['--transaction-log-decoder', '__transaction_state'],
    ['--cluster-metadata-decoder', '__cluster_metadata'],
    ['--share-group-state-decoder', '__share_group_state'],
  ] as const)
    command.addOption(new Option(flag, `decode records as those of ${topic}, wherever the file lies`));
  withOutputOptions(command)
    .addHelpText(
      'after',
      [
        '\nA folder stands for all that it holds. The exit code is 1 when something is damaged.',
        '\nExamples:',
        '  ottla dump-log data/orders-0',
        '  ottla dump-log --print-data-log data/__consumer_offsets-7/00000000000000000000.log',
        '  ottla dump-log --deep-iteration --jsonl data/orders-0 | jq \'select(.type == "record")\'',
      ].join('\n'),
    )
    .action((files: string[], options: DumpOptions) => runDump(files, options));
}

function runDump(paths: readonly string[], options: DumpOptions): Promise<void> {
  return runLocally(async () => {
    const { dumpFile, filesToDump } = await import('../dump/dump-files.ts');
    const disk = new NodeDisk();
    const files = filesToDump(
      disk,
      paths.flatMap((path) => (disk.existsSync(path) ? [path] : path.split(','))),
    );
    const out = new RowStream(options);
    const progress = new ProgressLine();
    let readBytes = 0;
    let done = 0;
    const onBytes = (count: number): void => {
      readBytes += count;
      progress.update(() => `${done} of ${files.length} files, ${bytesText(readBytes)} read`);
    };
    const onProblem = (path: string, problem: string): void => {
      progress.clear();
      process.stderr.write(`ottla: ${path}: ${problem}\n`);
      process.exitCode = ClusterExitCode.failed;
    };
    const settings = settingsOf(options);
    for (const path of files) {
      await dumpFile({ disk, out, settings, onBytes, onProblem }, path);
      done += 1;
    }
    await out.end();
    progress.clear();
  });
}

function settingsOf(options: DumpOptions) {
  const decoder: DecoderName | undefined =
    (options.offsetsDecoder === true && 'offsets') ||
    (options.transactionLogDecoder === true && 'transaction-log') ||
    (options.clusterMetadataDecoder === true && 'cluster-metadata') ||
    (options.shareGroupStateDecoder === true && 'share-group-state') ||
    undefined;
  const skipRecordMetadata = options.skipRecordMetadata === true;
  const printDataLog = options.printDataLog === true || decoder !== undefined || skipRecordMetadata;
  return {
    deepIteration: options.deepIteration === true || printDataLog,
    printDataLog,
    ...(decoder !== undefined && { decoder }),
    skipRecordMetadata,
    indexSanityCheck: options.indexSanityCheck === true,
    verifyIndexOnly: options.verifyIndexOnly === true,
    maxBytes: options.maxBytes,
  };
}
