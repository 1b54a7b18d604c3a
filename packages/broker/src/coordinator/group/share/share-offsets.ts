import { ErrorCodes, errorMessage, ZERO_UUID } from '@ottla/protocol';
import { outcome } from '../../runtime/state-machine.ts';
import { refuse, type CommandContext } from '../command-context.ts';
import type { GroupOutcome } from '../group-types.ts';
import { epochRecord, stateTopicsRecord, type ShareGroupRecord } from './share-group-records.ts';
import type { ShareGroup, StateTopic } from './share-group.ts';
import type {
  AlterShareOffsetsCommand,
  AlterShareOffsetsReply,
  BeginDeleteStatesCommand,
  BeginDeleteStatesReply,
} from './share-group-types.ts';
import { withInitializing } from './state-topics.ts';

const NOT_EMPTY = 'The group is not empty.';

/** AlterShareGroupOffsets: only without members. States are made anew, so a leader that still has the old ones is fenced. */
export function alterShareOffsets(
  group: ShareGroup,
  command: AlterShareOffsetsCommand,
  { ticket, nowMs }: CommandContext,
): GroupOutcome {
  const { groupId, members, groupEpoch, stateTopics } = group;
  if (members.size > 0) return refuse(ticket, ErrorCodes.NON_EMPTY_GROUP, NOT_EMPTY);
  const wanted = new Map<string, StateTopic>();
  const starts: { topicId: string; partition: number; startOffset: number }[] = [];
  const topics = command.topics.map(({ topicName, partitions }): AlterShareOffsetsReply['topics'][number] => {
    const topic = command.image.byName.get(topicName);
    const answers = partitions.map(({ partition, startOffset }) => {
      if (topic?.partitions[partition] === undefined)
        return partitionAnswer(partition, ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION);
      starts.push({ topicId: topic.id, partition, startOffset });
      return partitionAnswer(partition, ErrorCodes.NONE);
    });
    if (topic !== undefined) {
      const known = answers.filter(({ errorCode }) => errorCode === 0).map(({ partition }) => partition);
      if (known.length > 0) wanted.set(topic.id, { name: topicName, partitions: known });
    }
    return { topicName, topicId: topic?.id ?? ZERO_UUID, partitions: answers };
  });
  const initialize = { groupId, stateEpoch: groupEpoch, partitions: starts };
  // Kafka has unknown topics first.
  const isUnknown = ({ topicId }: { readonly topicId: string }): boolean => topicId === ZERO_UUID;
  const ordered = [...topics.filter(isUnknown), ...topics.filter((topic) => !isUnknown(topic))];
  const reply: AlterShareOffsetsReply = { topics: ordered, initialize };
  return outcome({
    records:
      wanted.size === 0
        ? []
        : [
            epochRecord(groupId, groupEpoch, group.metadataHash),
            stateTopicsRecord(groupId, withInitializing(stateTopics, wanted)),
          ],
    changes: [{ type: 'share-initializing', groupId, nowMs }],
    replies: [{ ticket, value: reply }],
  });
}

function partitionAnswer(
  partition: number,
  errorCode: number,
): AlterShareOffsetsReply['topics'][number]['partitions'][number] {
  return { partition, errorCode, errorMessage: errorCode === 0 ? null : (errorMessage(errorCode) ?? null) };
}

/** Marks the states of topics as going; only without members. What is marked already is asked for again. */
export function beginDeleteStates(
  group: ShareGroup,
  { topicNames, image }: BeginDeleteStatesCommand,
  { ticket }: CommandContext,
): GroupOutcome {
  const { groupId, members, stateTopics } = group;
  if (members.size > 0) return refuse(ticket, ErrorCodes.NON_EMPTY_GROUP, NOT_EMPTY);
  const { initializing, initialized, deleting } = stateTopics;
  const known = new Map([...initializing, ...initialized]);
  const names = topicNames ?? [
    ...new Set([...Array.from(known.values(), ({ name }) => name), ...deleting.values()]),
  ];
  const refused: BeginDeleteStatesReply['refused'][number][] = [];
  const going = new Map<string, { topicId: string; topicName: string; partitions: readonly number[] }>();
  for (const topicName of names) {
    const topic = image.byName.get(topicName);
    if (topic === undefined) {
      const errorCode = ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION;
      if (topicNames !== null)
        refused.push({
          topicId: ZERO_UUID,
          topicName,
          errorCode,
          errorMessage: errorMessage(errorCode) ?? '',
        });
      continue;
    }
    const partitions = known.get(topic.id)?.partitions ?? topic.partitions.map(({ partition }) => partition);
    if (known.has(topic.id) || deleting.has(topic.id)) {
      going.set(topic.id, { topicId: topic.id, topicName, partitions });
    } else if (topicNames !== null) {
      const text = 'There is no offset information to delete.';
      refused.push({
        topicId: ZERO_UUID,
        topicName,
        errorCode: ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION,
        errorMessage: text,
      });
    }
  }
  const reply: BeginDeleteStatesReply = { deleting: [...going.values()], refused };
  return outcome({ records: markDeleting(group, going), replies: [{ ticket, value: reply }] });

  function markDeleting(
    { stateTopics: topics }: ShareGroup,
    marked: ReadonlyMap<string, { readonly topicName: string }>,
  ): ShareGroupRecord[] {
    if (marked.size === 0) return [];
    const left = <Value>(from: ReadonlyMap<string, Value>): Map<string, Value> =>
      new Map([...from].filter(([topicId]) => !marked.has(topicId)));
    const next = {
      initializing: left(topics.initializing),
      initialized: left(topics.initialized),
      deleting: new Map([
        ...topics.deleting,
        ...Array.from(marked, ([id, { topicName }]) => [id, topicName] as const),
      ]),
    };
    return [stateTopicsRecord(groupId, next)];
  }
}
