import { randomBytes } from 'node:crypto';
import { RawConnection } from '@ottla/interop';
import {
  decodeResponse,
  encodeBatch,
  encodeRequest,
  produceRequest,
  produceResponse,
  type CompressionType,
} from '@ottla/protocol';

export interface FillPlan {
  readonly port: number;
  readonly topic: string;
  readonly partitionCount: number;
  readonly recordBytes: number;
  readonly compression: CompressionType;
  /** At least this many records are written, the same number to each partition. */
  readonly records: number;
}

/** Uncompressed size of a batch. */
const BATCH_BYTES = 64 * 1024;
const IN_FLIGHT = 4;
const VERSION = 9;

/** Writes records to all partitions of a topic, one batch again and again; returns how many there are now. */
export async function fillTopic(plan: FillPlan): Promise<number> {
  const { topic, partitionCount, recordBytes, compression } = plan;
  const perBatch = Math.max(1, Math.floor(BATCH_BYTES / (recordBytes + 12)));
  // Half of each value repeats itself, as text does, so that compression has something to do.
  // Of now: retention deletes what is older than a week within minutes.
  const nowMs = Date.now();
  const records = Array.from({ length: perBatch }, () => ({
    timestamp: nowMs,
    value: Buffer.from(
      randomBytes(Math.ceil(recordBytes / 4))
        .toString('hex')
        .padEnd(recordBytes, 'x')
        .slice(0, recordBytes),
    ),
  }));
  const batch = encodeBatch({ records, compression });
  const partitionData = Array.from({ length: partitionCount }, (_, index) => ({ index, records: batch }));
  const body = { acks: 1, timeoutMs: 30_000, topicData: [{ name: topic, partitionData }] };
  const header = { correlationId: 1, clientId: 'bench-fill' };
  const rounds = Math.ceil(plan.records / (perBatch * partitionCount));
  const connection = await RawConnection.open(plan.port);
  for (let sent = 0, answered = 0; answered < rounds;) {
    if (sent < rounds && sent - answered < IN_FLIGHT) {
      connection.send(...encodeRequest(produceRequest, VERSION, header, body));
      sent += 1;
      continue;
    }
    const frame = await connection.receive(30_000);
    if (frame === undefined)
      throw new Error(`The broker on port ${plan.port} gave no answer to a produce request`);
    const { responses } = decodeResponse(produceResponse, VERSION, frame).value;
    const failed = responses[0]!.partitionResponses.find(({ errorCode }) => errorCode !== 0);
    if (failed !== undefined) throw new Error(`Filling "${topic}" failed with error ${failed.errorCode}`);
    answered += 1;
  }
  connection.close();
  return rounds * perBatch * partitionCount;
}
