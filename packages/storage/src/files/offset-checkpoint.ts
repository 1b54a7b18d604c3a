import type { Disk } from '@ottla/platform';
import type { TopicPartition } from '../types.ts';
import { partitionKey } from './log-files.ts';

export const RECOVERY_POINT_FILE = 'recovery-point-offset-checkpoint';
export const LOG_START_OFFSET_FILE = 'log-start-offset-checkpoint';
export const HIGH_WATERMARK_FILE = 'replication-offset-checkpoint';

/** One offset per partition; the same text format for all three checkpoints of a log directory. */
export interface OffsetCheckpointEntry extends TopicPartition {
  readonly offset: number;
}

/**
 * Format of a checkpoint (also of `leader-epoch-checkpoint`, with other columns):
 *
 *     0            version
 *     2            number of lines that follow
 *     topic 0 42
 *     topic 1 17
 */
export function formatCheckpoint(lines: readonly string[]): string {
  return `0\n${lines.length}\n${lines.map((line) => `${line}\n`).join('')}`;
}

/** The lines of a checkpoint as columns; none of an empty file, as Kafka makes them before it has anything to write. @throws Error naming the file when it does not have the format */
export function parseCheckpoint(file: string, content: string, columns: number): string[][] {
  if (content === '') return [];
  const lines = content.split('\n');
  const fail = (reason: string): never => {
    throw new Error(`Malformed checkpoint file "${file}": ${reason}`);
  };
  if (lines[0] !== '0') fail(`unknown version "${lines[0] ?? ''}"`);
  const count = Number(lines[1]);
  if (!/^\d+$/.test(lines[1] ?? '')) fail(`"${lines[1] ?? ''}" is not a number of entries`);
  const body = lines.slice(2).filter((line) => line !== '');
  if (body.length !== count) fail(`${count} entries expected, ${body.length} found`);
  return body.map((line) => {
    const fields = line.trim().split(/\s+/);
    const numbers = columns === 3 ? fields.slice(1) : fields;
    if (fields.length !== columns || numbers.some((text) => !/^-?\d+$/.test(text)))
      fail(`bad line "${line}"`);
    return fields;
  });
}

/** Text of a checkpoint file of offsets by partition, in Kafka's version 0. */
export function formatOffsets(entries: readonly OffsetCheckpointEntry[]): string {
  return formatCheckpoint(entries.map((entry) => `${entry.topic} ${entry.partition} ${entry.offset}`));
}

/** Offsets by partition key; empty when the file does not exist. */
export function readOffsetCheckpoint(disk: Disk, file: string): Map<string, number> {
  const offsets = new Map<string, number>();
  if (!disk.existsSync(file)) return offsets;
  for (const [topic, partition, offset] of parseCheckpoint(
    file,
    disk.readFileSync(file).toString('utf8'),
    3,
  )) {
    offsets.set(partitionKey({ topic: topic!, partition: Number(partition) }), Number(offset));
  }
  return offsets;
}
