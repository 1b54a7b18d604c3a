import type { CallLimits } from '../cluster/limits.ts';
import { OptionError } from '../errors/client-errors.ts';
import { isKafkaError, KafkaError } from '../errors/kafka-error.ts';
import type { Topic } from '../topic.ts';
import type { AdminRequests, TopicPartition } from './admin-requests.ts';
import { describeGroups } from './describe-groups.ts';
import { describeTopics } from './describe-topics.ts';
import type { GroupOffsets } from './group-offsets.ts';
import type { OffsetsAdmin, OffsetSpec } from './offsets-admin.ts';
import { valuesOrThrow } from './per-item.ts';
import { nameOf } from './topics-admin.ts';

/**
 * Where to: the ends of the log, where the group is now, the first record at or after a time, a time so long ago, so many records
 * forward or back, one offset for all, or one for each partition (as `kafka-consumer-groups --from-file` takes them).
 */
export type OffsetReset =
  | 'earliest'
  | 'latest'
  | 'current'
  | Date
  | { readonly timestampMs: number }
  | { readonly durationMs: number }
  | { readonly shiftBy: number }
  | { readonly offset: number }
  | readonly (TopicPartition & { readonly offset: number })[];

/** One partition of the plan. */
export interface ResetStep extends TopicPartition {
  /** What was committed; null when nothing was. */
  readonly from: number | null;
  readonly to: number;
}

interface Parts {
  readonly requests: AdminRequests;
  readonly offsets: OffsetsAdmin;
  readonly groupOffsets: GroupOffsets;
}

interface ResetRequest {
  readonly groupId: string;
  readonly topics: string | Topic | readonly (string | Topic | TopicPartition)[];
  readonly to: OffsetReset;
  readonly dryRun: boolean;
}

/** What is known of a partition when its step is planned. */
export interface ResetFacts {
  readonly committed: number | null;
  readonly logStartOffset: number;
  readonly logEndOffset: number;
  /** The first record at or after the time; -1 when there is none. Undefined unless the reset is by time. */
  readonly atTime?: number | undefined;
}

/** Plans, and unless it is a dry run commits, new offsets of a group without members. */
export async function resetOffsets(
  parts: Parts,
  request: ResetRequest,
  limits: CallLimits,
): Promise<ResetStep[]> {
  const { groupId, to, dryRun } = request;
  await checkEmpty(parts.requests, groupId, limits);
  const places = await placesOf(parts.requests, request, limits);
  const nowMs = parts.requests.cluster.options.clock.nowMs();
  const facts = await gatherFacts(parts, { groupId, places, timestampMs: timeOf(to, nowMs) }, limits);
  const steps = places.map((place, index) => ({
    topic: place.topic,
    partition: place.partition,
    from: facts[index]!.committed,
    to: planStep(place, to, facts[index]!),
  }));
  if (dryRun) return steps;
  const changes = steps.map((step) => ({ topic: step.topic, partition: step.partition, offset: step.to }));
  for (const { error } of await parts.groupOffsets.alter(groupId, changes, limits))
    if (error !== null) throw error;
  return steps;
}

/** The offset that a partition is moved to, within its log. Throws OptionError when the reset cannot be applied to it. */
export function planStep(place: TopicPartition, to: OffsetReset, facts: ResetFacts): number {
  const { committed, logStartOffset, logEndOffset, atTime } = facts;
  const clamp = (offset: number): number => Math.min(Math.max(offset, logStartOffset), logEndOffset);
  if (to === 'earliest') return logStartOffset;
  if (to === 'latest') return logEndOffset;
  if (to === 'current') return committed === null ? logEndOffset : clamp(committed);
  if (atTime !== undefined) return atTime < 0 ? logEndOffset : atTime;
  if (isList(to)) {
    const own = to.find(({ topic, partition }) => topic === place.topic && partition === place.partition);
    if (own === undefined)
      throw new OptionError(`No offset is given for partition ${place.topic}-${place.partition}`);
    return clamp(own.offset);
  }
  if ('offset' in to) return clamp(to.offset);
  if ('shiftBy' in to) {
    if (committed === null)
      throw new OptionError(
        `Partition ${place.topic}-${place.partition} cannot be shifted: the group has committed nothing for it`,
      );
    return clamp(committed + to.shiftBy);
  }
  throw new OptionError('The reset is none of those that are known');
}

function isList(to: OffsetReset): to is readonly (TopicPartition & { readonly offset: number })[] {
  return Array.isArray(to);
}

/** The time that a reset is by; undefined for others. */
function timeOf(to: OffsetReset, nowMs: number): number | undefined {
  if (to instanceof Date) return to.getTime();
  if (typeof to === 'string' || isList(to)) return undefined;
  if ('timestampMs' in to) return to.timestampMs;
  return 'durationMs' in to ? nowMs - to.durationMs : undefined;
}

async function checkEmpty(requests: AdminRequests, groupId: string, limits: CallLimits): Promise<void> {
  const group = (await describeGroups(requests, [groupId], limits)).get(groupId);
  if (group instanceof KafkaError) {
    // A group that does not exist yet comes into being with its offsets.
    if (isKafkaError(group, 'GROUP_ID_NOT_FOUND')) return;
    throw group;
  }
  if (group === undefined || group.members.length === 0) return;
  throw new KafkaError(
    'NON_EMPTY_GROUP',
    `Group "${groupId}" has ${group.members.length} members (state ${group.state}); stop them before its offsets are reset`,
  );
}

async function placesOf(
  requests: AdminRequests,
  { topics }: ResetRequest,
  limits: CallLimits,
): Promise<TopicPartition[]> {
  const list = (Array.isArray(topics) ? topics : [topics]) as readonly (string | Topic | TopicPartition)[];
  const single: TopicPartition[] = [];
  const names: string[] = [];
  for (const each of list) {
    if (typeof each === 'object' && 'partition' in each)
      single.push({ topic: each.topic, partition: each.partition });
    else names.push(nameOf(each));
  }
  if (names.length === 0) return single;
  // One that is not there is said at once, as by Kafka's tool: nobody creates a topic to reset offsets in it.
  const known = valuesOrThrow(await describeTopics(requests, names, limits));
  const whole = [...known.values()].flatMap(({ name, partitions }) =>
    partitions.map(({ partition }) => ({ topic: name, partition })),
  );
  return [...whole, ...single];
}

async function gatherFacts(
  { offsets, groupOffsets }: Parts,
  request: {
    readonly groupId: string;
    readonly places: readonly TopicPartition[];
    readonly timestampMs: number | undefined;
  },
  limits: CallLimits,
): Promise<ResetFacts[]> {
  const { groupId, places, timestampMs } = request;
  const lookUp = async (spec: OffsetSpec): Promise<number[]> => {
    const found = await offsets.listPartitions(
      places.map((place) => ({ ...place, spec })),
      limits,
    );
    return [
      ...valuesOrThrow(new Map(found.map((each) => [each, each.error ?? each.offset]))).values(),
    ] as number[];
  };
  const [starts, ends, atTimes, committed] = await Promise.all([
    lookUp('earliest'),
    lookUp('latest'),
    timestampMs === undefined ? undefined : lookUp({ timestampMs }),
    groupOffsets.list(groupId, { ...limits, partitions: places }),
  ]);
  return places.map(({ topic, partition }, index) => {
    const own = committed.find((each) => each.topic === topic && each.partition === partition);
    if (own !== undefined && own.error !== null) throw own.error;
    return {
      committed: own?.offset ?? null,
      logStartOffset: starts[index]!,
      logEndOffset: ends[index]!,
      atTime: atTimes?.[index],
    };
  });
}
