import { metadataRecord } from '../metadata/records.ts';
import type { CommandResult, CommandState } from './command.ts';

/** Producer ids are handed to brokers in blocks of this many, as in Kafka. */
const PRODUCER_ID_BLOCK_LENGTH = 1000;

/** Hands the next block of producer ids to a broker. Ids of a block that is lost in a restart are never used. */
export function allocateProducerIds(
  state: CommandState,
  brokerId: number,
): CommandResult<{ first: number; length: number }> {
  const first = state.image.nextProducerId;
  const record = metadataRecord('ProducerIdsRecord', {
    brokerId,
    brokerEpoch: state.image.brokers.get(brokerId)?.epoch ?? -1,
    nextProducerId: first + PRODUCER_ID_BLOCK_LENGTH,
  });
  return { records: [record], reply: { first, length: PRODUCER_ID_BLOCK_LENGTH } };
}
