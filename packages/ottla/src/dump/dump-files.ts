import type { Disk } from '@ottla/platform';
import {
  INDEX_SUFFIX,
  LEADER_EPOCH_FILE,
  LOG_SUFFIX,
  META_PROPERTIES_FILE,
  offsetFromName,
  PARTITION_METADATA_FILE,
  parseFolderName,
  SNAPSHOT_SUFFIX,
  TIME_INDEX_SUFFIX,
  TXN_INDEX_SUFFIX,
} from '@ottla/storage';
import { UsageError } from '../cluster/run-on-cluster.ts';
import { dumpOffsetIndex, dumpTimeIndex, dumpTransactionIndex } from './dump-index-file.ts';
import { dumpLogFile } from './dump-log-file.ts';
import type { DumpContext } from './dump-options.ts';
import {
  dumpLeaderEpochs,
  dumpOffsetCheckpoint,
  dumpProducerSnapshot,
  dumpProperties,
} from './dump-small-file.ts';

type Dump = (context: DumpContext, path: string) => Promise<void>;

/** By the end of a file's name. A `.checkpoint` is a snapshot of the metadata, which has the format of a log. */
const BY_SUFFIX: readonly (readonly [string, Dump])[] = [
  [LOG_SUFFIX, dumpLogFile],
  ['.checkpoint', dumpLogFile],
  [TIME_INDEX_SUFFIX, dumpTimeIndex],
  [TXN_INDEX_SUFFIX, dumpTransactionIndex],
  [INDEX_SUFFIX, dumpOffsetIndex],
  [SNAPSHOT_SUFFIX, dumpProducerSnapshot],
  [LEADER_EPOCH_FILE, dumpLeaderEpochs],
  ['-offset-checkpoint', dumpOffsetCheckpoint],
  [PARTITION_METADATA_FILE, dumpProperties],
  [META_PROPERTIES_FILE, dumpProperties],
];

function dumpOf(path: string): Dump | undefined {
  return BY_SUFFIX.find(([suffix]) => path.endsWith(suffix))?.[1];
}

/**
 * The files that are meant: those named, in the folder of a partition all that can be dumped, in a log directory those of all its
 * partitions and its checkpoints.
 * @throws UsageError for what is not there or of no known kind
 */
export function filesToDump(disk: Disk, paths: readonly string[]): string[] {
  return paths.flatMap((given) => {
    const path = given.replace(/(?<=.)\/+$/, '');
    if (disk.isDirectorySync(path)) return filesIn(disk, path);
    if (!disk.existsSync(path)) throw new UsageError(`There is no file or folder "${given}"`);
    if (dumpOf(path) !== undefined) return [path];
    throw new UsageError(
      `File "${given}" is of no kind that can be dumped; there are ${BY_SUFFIX.map(([suffix]) => suffix).join(', ')}`,
    );
  });
}

function filesIn(disk: Disk, folder: string): string[] {
  const entries = disk.listSync(folder).map((name) => ({ name, path: `${folder}/${name}` }));
  const files = entries.filter(
    ({ name, path }) => isOfKafka(name) && dumpOf(path) !== undefined && !disk.isDirectorySync(path),
  );
  const partitions = entries.filter(
    ({ name, path }) => parseFolderName(name) !== null && disk.isDirectorySync(path),
  );
  if (files.length === 0 && partitions.length === 0)
    throw new UsageError(
      `Folder "${folder}" holds nothing that can be dumped: name a partition's folder or a log directory`,
    );
  return [...files.map(({ path }) => path), ...partitions.flatMap(({ path }) => filesIn(disk, path))];
}

/** Whether Kafka gives such names: any program may leave a `.log` file somewhere. */
function isOfKafka(name: string): boolean {
  return (
    offsetFromName(name) !== null ||
    /^\d{20}-\d{10}\.checkpoint$|^[a-z-]+-checkpoint$|^\w+\.(metadata|properties)$/.test(name)
  );
}

/** Dumps a file by its kind; one that cannot be read is told of, and the others go on. */
export async function dumpFile(context: DumpContext, path: string): Promise<void> {
  try {
    await dumpOf(path)?.(context, path);
  } catch (error) {
    context.onProblem(path, error instanceof Error ? error.message : String(error));
  }
}
