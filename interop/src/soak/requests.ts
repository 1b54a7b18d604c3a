import {
  decodeRecords,
  decodeResponse,
  encodeRequest,
  fetchRequest,
  fetchResponse,
  iterateBatches,
  validateBatchCrc,
  type MessageInput,
  type MessageSchema,
} from '@ottla/protocol';
import { RawConnection } from '../raw-connection.ts';

const FETCH_VERSION = 12;

/** The header of every request of a load. */
export const header = { correlationId: 7, clientId: 'soak' };

/** Sends one request over a connection of its own. Throws when nothing comes back. */
export async function ask<Q, A>(
  port: number,
  api: { request: MessageSchema<Q>; response: MessageSchema<A>; version: number },
  body: MessageInput<Q>,
): Promise<A> {
  const connection = await RawConnection.open(port);
  try {
    connection.send(...encodeRequest(api.request, api.version, header, body));
    const frame = await connection.receive(20_000);
    if (frame === undefined) throw new Error('The broker gave no answer');
    return decodeResponse(api.response, api.version, frame).value;
  } finally {
    connection.close();
  }
}

/** What a fetch asks for: offsets by partition, and bytes at most. */
export interface FetchShape {
  readonly offsets: ReadonlyMap<number, number>;
  readonly maxBytes: number;
  readonly partitionMaxBytes: number;
}

/** Sends a fetch without a session that is answered at once. */
export function sendFetch(connection: RawConnection, topic: string, shape: FetchShape): void {
  const { maxBytes, partitionMaxBytes } = shape;
  const partitions = Array.from(shape.offsets, ([partition, fetchOffset]) => ({
    partition,
    fetchOffset,
    partitionMaxBytes,
  }));
  const body = {
    replicaId: -1,
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes,
    sessionEpoch: -1,
    topics: [{ topic, partitions }],
  };
  connection.send(...encodeRequest(fetchRequest, FETCH_VERSION, header, body));
}

/** One partition of an answer to `sendFetch`. */
export interface FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly records: Buffer;
}

/** The partitions of an answer to `sendFetch`. */
export function fetchedPartitions(frame: Buffer): FetchedPartition[] {
  const { responses } = decodeResponse(fetchResponse, FETCH_VERSION, frame).value;
  return responses.flatMap(({ partitions }) =>
    partitions.map(({ partitionIndex, errorCode, highWatermark, records }) => ({
      partition: partitionIndex,
      errorCode,
      highWatermark,
      records: records ?? Buffer.alloc(0),
    })),
  );
}

/**
 * Reads the records of a load: offset and number of each go to `onRecord`. Returns how many batches have a wrong CRC, and
 * the offset after the last whole one; null when there is none.
 */
export function checkBatches(
  records: Buffer,
  onRecord: (offset: number, number: number) => void,
): { badBatches: number; nextOffset: number | null } {
  let badBatches = 0;
  let nextOffset: number | null = null;
  for (const batch of iterateBatches(records)) {
    if (!validateBatchCrc(records, batch.position)) badBatches += 1;
    for (const record of decodeRecords(records, batch.position))
      onRecord(record.offset, numberOf(record.value!));
    nextOffset = batch.lastOffset + 1;
  }
  return { badBatches, nextOffset };
}

/** Values of a load begin with their number and a colon. */
function numberOf(value: Buffer): number {
  return Number(value.toString('latin1', 0, value.indexOf(':')));
}
