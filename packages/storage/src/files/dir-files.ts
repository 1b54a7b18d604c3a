import type { Disk } from '@ottla/platform';

/** `meta.properties` (version 1): which cluster, node and directory a log directory belongs to. */
export interface MetaProperties {
  readonly clusterId: string;
  readonly nodeId: number;
  readonly directoryId: string;
}

/** Fields as found; a field that is absent is null (Kafka before 3.7 wrote no `directory.id`). */
export interface FoundMetaProperties {
  readonly version: string | null;
  readonly clusterId: string | null;
  readonly nodeId: number | null;
  readonly directoryId: string | null;
  /** The file holds nothing at all. */
  readonly isBlank: boolean;
}

/** Held while a broker runs in the directory. */
export const LOCK_FILE = '.lock';

export const META_PROPERTIES_FILE = 'meta.properties';

/** The fields of `meta.properties`, unchecked; null when the file is absent. */
export function readMetaProperties(disk: Disk, file: string): FoundMetaProperties | null {
  if (!disk.existsSync(file)) return null;
  const values = new Map<string, string>();
  const text = disk.readFileSync(file).toString('latin1');
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*([^#!\s=:][^=:\s]*)\s*[=:]\s*(.*)$/.exec(line);
    // The keys and values here never hold what Java escapes in properties, but for `\:` and `\=`.
    if (match !== null) values.set(match[1]!, match[2]!.replaceAll(/\\(.)/g, '$1').trim());
  }
  const nodeId = values.get('node.id') ?? values.get('broker.id') ?? null;
  return {
    version: values.get('version') ?? null,
    clusterId: values.get('cluster.id') ?? null,
    nodeId: nodeId === null ? null : Number(nodeId),
    directoryId: values.get('directory.id') ?? null,
    isBlank: text.trim() === '',
  };
}

/** Text of `meta.properties`, version 1. */
export function formatMetaProperties(properties: MetaProperties): string {
  return (
    `#\ncluster.id=${properties.clusterId}\ndirectory.id=${properties.directoryId}\n` +
    `node.id=${properties.nodeId}\nversion=1\n`
  );
}

/**
 * Left when a disk call failed and the directory went offline: what the page cache shows may not be on the disk, and
 * Linux reports a failed sync only once. The next start writes it again before it counts on it.
 */
export const FAILED_SYNC_FILE = '.ottla_failed_sync';

/** Marker of a clean shutdown: present means that nothing has to be recovered. Removed as soon as the directory is in use. */
export const CLEAN_SHUTDOWN_FILE = '.kafka_cleanshutdown';

/** `brokerEpoch` tells the controller which registration ended cleanly (KIP-966); -1 when unknown. */
export function formatCleanShutdown(brokerEpoch: number): string {
  return JSON.stringify({ version: 0, brokerEpoch });
}

/** The broker epoch of the last clean shutdown; -1 for a marker without one, null without a marker. */
export function readCleanShutdown(disk: Disk, file: string): number | null {
  if (!disk.existsSync(file)) return null;
  try {
    const content: unknown = JSON.parse(disk.readFileSync(file).toString('utf8'));
    const epoch = (content as { brokerEpoch?: unknown } | null)?.brokerEpoch;
    return typeof epoch === 'number' ? epoch : -1;
  } catch {
    // Kafka's marker of old is an empty file: its being there is what counts.
    return -1;
  }
}

/** Text of `partition.metadata`, version 0. */
export function formatPartitionMetadata(topicId: string): string {
  return `version: 0\ntopic_id: ${topicId}`;
}

/**
 * The topic id in `partition.metadata`; null when the file is absent, or empty or torn because a power cut came before
 * its first sync (then no record of the partition was durable either). @throws Error for an unknown version
 */
export function readPartitionMetadata(disk: Disk, file: string): string | null {
  if (!disk.existsSync(file)) return null;
  const content = disk.readFileSync(file).toString('utf8');
  const version = /^version: (\d+)\s/.exec(content)?.[1];
  if (version !== undefined && version !== '0') {
    throw new Error(`Partition metadata file "${file}" has the unknown version "${version}"`);
  }
  return /^version: 0\s+topic_id: ([A-Za-z0-9_-]{22})\s*$/.exec(content)?.[1] ?? null;
}
