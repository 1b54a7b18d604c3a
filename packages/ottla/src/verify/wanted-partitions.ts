import { parseProperties, type Disk } from '@ottla/platform';
import type { TopicPartition } from '@ottla/storage';
import { UsageError } from '../cluster/run-on-cluster.ts';

/** Whether a partition is one of those that were asked for. */
export type Wanted = (topicPartition: TopicPartition) => boolean;

/** What a check of log directories is narrowed to. */
export interface WantedOptions {
  /** A properties file with `log.dirs`. */
  readonly config?: string;
  readonly topic: readonly string[];
  readonly partition?: number;
}

/** The directories that are meant, and the partitions in them; null for all. @throws UsageError */
export async function wantedPartitions(
  disk: Disk,
  folders: readonly string[],
  { config, topic, partition }: WantedOptions,
): Promise<{ dirs: readonly string[]; isWanted: Wanted | null }> {
  const { folderName } = await import('@ottla/storage');
  const given = [...folders, ...(config === undefined ? [] : logDirsIn(disk, config))];
  if (given.length === 0)
    throw new UsageError('Which folders? Name log directories, or a file with --config');
  const dirs = new Set<string>();
  const names = new Set<string>();
  for (const each of given) {
    const path = each.replace(/(?<=.)\/+$/, '');
    const slash = path.lastIndexOf('/');
    const kind = await kindOf(disk, path);
    if (kind === 'log directory') dirs.add(path);
    else {
      names.add(path.slice(slash + 1));
      dirs.add(slash < 0 ? '.' : path.slice(0, slash) || '/');
    }
  }
  if (names.size > 0 && names.size < given.length)
    throw new UsageError(
      'Some of the folders are log directories, some partitions: name either these or those',
    );
  const isFiltered = names.size > 0 || topic.length > 0 || partition !== undefined;
  const isWanted: Wanted = (wanted) =>
    (names.size === 0 || names.has(folderName(wanted))) &&
    (topic.length === 0 || topic.includes(wanted.topic)) &&
    (partition === undefined || partition === wanted.partition);
  return { dirs: [...dirs], isWanted: isFiltered ? isWanted : null };
}

/** What a folder is. @throws UsageError when it is neither: nothing in it would look like all in it being sound */
async function kindOf(disk: Disk, path: string): Promise<'log directory' | 'partition'> {
  const { LOG_SUFFIX, META_PROPERTIES_FILE, offsetFromName, parseFolderName } =
    await import('@ottla/storage');
  if (!disk.isDirectorySync(path)) throw new UsageError(`There is no folder "${path}"`);
  const names = disk.listSync(path);
  const isNamed = parseFolderName(path.slice(path.lastIndexOf('/') + 1)) !== null;
  if (isNamed && names.some((name) => name.endsWith(LOG_SUFFIX) && offsetFromName(name) !== null))
    return 'partition';
  const isPartition = (name: string): boolean =>
    parseFolderName(name) !== null && disk.isDirectorySync(`${path}/${name}`);
  if (names.includes(META_PROPERTIES_FILE) || names.some(isPartition)) return 'log directory';
  throw new UsageError(
    `Folder "${path}" is no log directory: neither ${META_PROPERTIES_FILE} nor partitions are in it`,
  );
}

/** `log.dirs` of a properties file, and where the metadata lies beside them. */
function logDirsIn(disk: Disk, file: string): string[] {
  const properties = parseProperties(disk.readFileSync(file).toString());
  const value = properties.get('log.dirs') ?? properties.get('log.dir');
  if (value === undefined) throw new UsageError(`"${file}" sets neither log.dirs nor log.dir`);
  const metadata = properties.get('metadata.log.dir');
  const dirs = [...value.split(','), ...(metadata === undefined ? [] : [metadata])];
  return dirs.map((dir) => dir.trim()).filter((dir) => dir !== '');
}
