import { ErrorCodes } from '@ottla/protocol';
import { metadataRecord } from '../metadata/records.ts';
import { OK, type CommandResult, type CommandState } from './command.ts';
import type { ItemResult } from './controller.ts';

/**
 * Names a partition's leader, or that it has none (-1). Naming one, even the same as before, starts a new leader epoch, by which
 * clients notice that something has happened.
 */
export function changeLeader(
  state: CommandState,
  change: { readonly topic: string; readonly partition: number; readonly leader: number },
): CommandResult<ItemResult> {
  const topic = state.image.topics.byName.get(change.topic);
  const partition = topic?.partitions[change.partition];
  if (topic === undefined || partition === undefined) {
    return { records: [], reply: { errorCode: ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: null } };
  }
  if (change.leader !== -1 && !partition.isr.includes(change.leader)) {
    const errorMessage = `Broker ${change.leader} is not an in-sync replica of "${change.topic}-${change.partition}"`;
    return { records: [], reply: { errorCode: ErrorCodes.ELIGIBLE_LEADERS_NOT_AVAILABLE, errorMessage } };
  }
  const fields = { topicId: topic.id, partitionId: change.partition, leader: change.leader };
  return { records: [metadataRecord('PartitionChangeRecord', fields)], reply: OK };
}
