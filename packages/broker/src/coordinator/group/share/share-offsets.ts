import { ErrorCodes, errorMessage, ZERO_UUID } from '@ottla/protocol';
import { outcome } from '../../runtime/state-machine.ts';
import { refuse, type CommandContext } from '../command-context.ts';
import type { GroupOutcome } from '../group-types.ts';
import { epochRecord, stateTopicsRecord } from './share-group-records.ts';
import type { ShareGroup, StateTopic } from './share-group.ts';
import type {
  AlterShareOffsetsCommand,
  AlterShareOffsetsReply,
  BeginDeleteStatesCommand,
  BeginDeleteStatesReply,
} from './share-group-types.ts';
import { withDeleting, withInitializing } from './state-topics.ts';

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
  { groupId, members, stateTopics }: ShareGroup,
  { topicNames, image }: BeginDeleteStatesCommand,
  { ticket }: CommandContext,
): GroupOutcome {
  if (members.size > 0) return refuse(ticket, ErrorCodes.NON_EMPTY_GROUP, NOT_EMPTY);
  const { initializing, initialized, deleting } = stateTopics;
  const known = new Map([...initializing, ...initialized]);
  const refused: Refused[] = [];
  const going = new Map<string, Going>();
  for (const topicName of topicNames ?? allNames(known, deleting)) {
    const topic = image.byName.get(topicName);
    if (topic === undefined) {
      refused.push(refusedTopic(topicName, errorMessage(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION) ?? ''));
    } else if (known.has(topic.id) || deleting.has(topic.id)) {
      const partitions =
        known.get(topic.id)?.partitions ?? topic.partitions.map(({ partition }) => partition);
      going.set(topic.id, { topicId: topic.id, topicName, partitions });
    } else {
      refused.push(refusedTopic(topicName, 'There is no offset information to delete.'));
    }
  }
  // Where all were asked for, none was asked for by name: nobody misses those that exist no more.
  const told = topicNames === null ? [] : refused;
  const reply: BeginDeleteStatesReply = { deleting: [...going.values()], refused: told };
  const records = going.size === 0 ? [] : [stateTopicsRecord(groupId, withDeleting(stateTopics, going))];
  return outcome({ records, replies: [{ ticket, value: reply }] });
}

type Going = BeginDeleteStatesReply['deleting'][number];
type Refused = BeginDeleteStatesReply['refused'][number];

function allNames(
  known: ReadonlyMap<string, StateTopic>,
  deleting: ReadonlyMap<string, string>,
): Set<string> {
  return new Set([...Array.from(known.values(), ({ name }) => name), ...deleting.values()]);
}

function refusedTopic(topicName: string, text: string): Refused {
  return {
    topicId: ZERO_UUID,
    topicName,
    errorCode: ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION,
    errorMessage: text,
  };
}
