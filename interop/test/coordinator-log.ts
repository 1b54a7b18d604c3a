import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { javaTools } from './support.ts';

/** One record of `__consumer_offsets`, decoded by Kafka's own tool. The payload of a tombstone is null. */
export interface CoordinatorRecord {
  readonly type: string;
  readonly key: Readonly<Record<string, unknown>>;
  readonly data: Readonly<Record<string, unknown>> | null;
}

interface DumpedJson {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Everything in partition 0 of `__consumer_offsets`, in the order in which it was written, read by Kafka's dump tool. */
export async function coordinatorRecords(logDir: string): Promise<CoordinatorRecord[]> {
  const folder = join(logDir, '__consumer_offsets-0');
  const names = readdirSync(folder).filter((name) => name.endsWith('.log'));
  const files = names.toSorted().map((name) => join(folder, name));
  const { out, code } = await javaTools().run('DumpLogSegments', [
    '--offsets-decoder',
    '--files',
    files.join(','),
  ]);
  expect(code).toBe(0);
  return out.flatMap((line): CoordinatorRecord[] => {
    const found = / key: (\{.*\}) payload: (.*)$/.exec(line);
    if (found === null) return [];
    const { type, data: key } = JSON.parse(found[1]!) as DumpedJson;
    const data = found[2]!.startsWith('{') ? (JSON.parse(found[2]!) as DumpedJson).data : null;
    return [{ type, key, data }];
  });
}

interface PartitionList {
  readonly topic?: string;
  readonly topicId?: string;
  readonly partitions: readonly number[];
}

const flat = (lists: readonly PartitionList[]): string[] =>
  lists.flatMap(({ topic, topicId, partitions }) => partitions.map((each) => `${topic ?? topicId}-${each}`));

/** The sentence for each partition that two members of a group had at one generation or member epoch. */
export function ownedTwice(records: readonly CoordinatorRecord[]): string[] {
  return [...ownedTwiceInClassicGroups(records), ...ownedTwiceInConsumerGroups(records)];
}

const GROUP_METADATA = '2';
const MEMBER_ASSIGNMENT = '8';

interface ClassicMember {
  readonly assignment: { readonly assignedPartitions: readonly PartitionList[] };
}

function ownedTwiceInClassicGroups(records: readonly CoordinatorRecord[]): string[] {
  return records.flatMap(({ type, key, data }) => {
    if (type !== GROUP_METADATA || data === null) return [];
    const members = data['members'] as readonly ClassicMember[];
    const all = members.flatMap(({ assignment }) => flat(assignment.assignedPartitions));
    const twice = all.filter((partition, i) => all.indexOf(partition) !== i);
    return twice.map(
      (each) => `${String(key['group'])}: ${each} in generation ${String(data['generation'])}`,
    );
  });
}

function ownedTwiceInConsumerGroups(records: readonly CoordinatorRecord[]): string[] {
  /** What the members of each group have, or must still give up. */
  const groups = new Map<string, Map<string, string[]>>();
  const found: string[] = [];
  for (const { type, key, data } of records) {
    if (type !== MEMBER_ASSIGNMENT) continue;
    const { groupId, memberId } = key as { groupId: string; memberId: string };
    const members = groups.get(groupId) ?? new Map<string, string[]>();
    groups.set(groupId, members);
    members.delete(memberId);
    if (data === null) continue;
    const assigned = data['assignedPartitions'] as readonly PartitionList[];
    const pending = data['partitionsPendingRevocation'] as readonly PartitionList[];
    const own = flat([...assigned, ...pending]);
    for (const [other, theirs] of members)
      for (const each of theirs.filter((partition) => own.includes(partition)))
        found.push(`${groupId}: ${each} at ${memberId} (epoch ${String(data['memberEpoch'])}) and ${other}`);
    members.set(memberId, own);
  }
  return found;
}

/** The last committed offset of each partition of a group, and the sentence for each commit that went back. */
export function commitsOf(
  records: readonly CoordinatorRecord[],
  group: string,
): { readonly last: Readonly<Record<string, number>>; readonly wentBack: readonly string[] } {
  const last: Record<string, number> = {};
  const wentBack: string[] = [];
  for (const { type, key, data } of records) {
    if ((type !== '0' && type !== '1') || key['group'] !== group || data === null) continue;
    const partition = String(key['partition']);
    const offset = Number(data['offset']);
    const before = last[partition] ?? 0;
    if (offset < before) wentBack.push(`partition ${partition}: from ${before} to ${offset}`);
    last[partition] = offset;
  }
  return { last, wentBack };
}
