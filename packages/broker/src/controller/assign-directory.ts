import { ErrorCodes } from '@ottla/protocol';
import { metadataRecord } from '../metadata/records.ts';
import { OK, type CommandResult, type CommandState } from './command.ts';
import type { DirectoryAssignment, ItemResult } from './controller.ts';

/** Notes in which of its directories a broker has a replica (KIP-858); nothing when the metadata says so already. */
export function assignDirectory(
  state: CommandState,
  { topicId, partition, brokerId, directoryId }: DirectoryAssignment,
): CommandResult<ItemResult> {
  const image = state.image.topics.byId.get(topicId)?.partitions[partition];
  const slot = image?.replicas.indexOf(brokerId) ?? -1;
  if (image === undefined || slot < 0) {
    return { records: [], reply: { errorCode: ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: null } };
  }
  if (image.directories[slot] === directoryId) return { records: [], reply: OK };
  const fields = { topicId, partitionId: partition, directories: image.directories.with(slot, directoryId) };
  return { records: [metadataRecord('PartitionChangeRecord', fields)], reply: OK };
}
