import { ErrorCodes, ZERO_UUID } from '@ottla/protocol';
import { metadataRecord } from '../metadata/records.ts';
import type { MetadataRecord } from '../metadata/records.ts';
import { bounded, OVER_QUOTA, TOO_MANY_RECORDS, type CommandResult, type CommandState } from './command.ts';
import type { DeleteTopicResult, DeleteTopicsCommand } from './controller.ts';

/** Deletes topics by name or id; each reference gets its own answer. */
export function deleteTopics(
  state: CommandState,
  { topics: references, quota }: DeleteTopicsCommand,
): CommandResult<DeleteTopicResult[]> {
  const records: MetadataRecord[] = [];
  const deleted = new Set<string>();
  const reply = references.map((reference): DeleteTopicResult => {
    const { byId, byName } = state.image.topics;
    const topic = reference.id === null ? byName.get(reference.name ?? '') : byId.get(reference.id);
    if (topic === undefined || deleted.has(topic.id)) {
      const byIdAsked = reference.id !== null;
      return {
        name: reference.name,
        topicId: reference.id ?? ZERO_UUID,
        errorCode: byIdAsked ? ErrorCodes.UNKNOWN_TOPIC_ID : ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION,
        errorMessage: byIdAsked
          ? 'This server does not host this topic ID.'
          : 'This server does not host this topic-partition.',
      };
    }
    if (quota?.(topic.partitions.length) === false)
      return { name: topic.name, topicId: topic.id, ...OVER_QUOTA };
    deleted.add(topic.id);
    records.push(metadataRecord('RemoveTopicRecord', { topicId: topic.id }));
    return { name: topic.name, topicId: topic.id, errorCode: ErrorCodes.NONE, errorMessage: null };
  });
  return bounded({ records, reply }, () =>
    references.map(({ name, id }) => ({ name, topicId: id ?? ZERO_UUID, ...TOO_MANY_RECORDS })),
  );
}
