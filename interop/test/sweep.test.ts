import {
  apiVersionsRequest,
  apiVersionsResponse,
  messagesByApiKey,
  type MessageInput,
} from '@ottla/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { RawConnection } from '../src/index.ts';
import { bodies, call, createTopic } from './requests.ts';
import { interop, unique } from './support.ts';

/** What Kafka 4.3.1 announces, for the APIs that a client or tool needs before any other, transactions and the newer kinds of groups. */
const expected: Readonly<Record<string, readonly [number, number]>> = {
  Produce: [0, 13],
  Fetch: [4, 18],
  ListOffsets: [1, 11],
  Metadata: [0, 13],
  OffsetCommit: [2, 10],
  OffsetFetch: [1, 10],
  FindCoordinator: [0, 6],
  JoinGroup: [0, 9],
  Heartbeat: [0, 4],
  LeaveGroup: [0, 5],
  SyncGroup: [0, 5],
  DescribeGroups: [0, 6],
  ListGroups: [0, 5],
  ApiVersions: [0, 4],
  CreateTopics: [2, 7],
  DeleteTopics: [1, 6],
  InitProducerId: [0, 5],
  AddPartitionsToTxn: [0, 5],
  AddOffsetsToTxn: [0, 4],
  EndTxn: [0, 5],
  WriteTxnMarkers: [1, 2],
  TxnOffsetCommit: [0, 5],
  DescribeProducers: [0, 0],
  DescribeTransactions: [0, 0],
  ListTransactions: [0, 2],
  ConsumerGroupHeartbeat: [0, 1],
  ConsumerGroupDescribe: [0, 1],
  ShareGroupHeartbeat: [1, 1],
  ShareGroupDescribe: [1, 1],
  ShareFetch: [1, 2],
  ShareAcknowledge: [1, 2],
  InitializeShareGroupState: [0, 0],
  ReadShareGroupState: [0, 0],
  WriteShareGroupState: [0, 1],
  DeleteShareGroupState: [0, 0],
  ReadShareGroupStateSummary: [0, 1],
  StreamsGroupHeartbeat: [0, 0],
  StreamsGroupDescribe: [0, 0],
  DescribeShareGroupOffsets: [0, 1],
  AlterShareGroupOffsets: [0, 0],
  DeleteShareGroupOffsets: [0, 0],
};

interface Announced {
  readonly name: string;
  readonly apiKey: number;
  readonly minVersion: number;
  readonly maxVersion: number;
}

let announced: readonly Announced[] = [];
let world: { topic: string; topicId: string };

/** All error codes anywhere in a decoded answer. */
function errorCodes(value: unknown, found: number[] = []): number[] {
  if (Array.isArray(value)) for (const item of value) errorCodes(item, found);
  else if (typeof value === 'object' && value !== null && !Buffer.isBuffer(value)) {
    for (const [key, field] of Object.entries(value)) {
      if (key === 'errorCode') found.push(field as number);
      else errorCodes(field, found);
    }
  }
  return found;
}

/** Asks one API at one version; undefined when all is well, otherwise what is wrong. */
async function ask(api: Announced, version: number): Promise<string | undefined> {
  const messages = messagesByApiKey(api.apiKey)!;
  const connection = await RawConnection.open(interop.port);
  const body = bodies[messages.name]?.({ ...world, fresh: unique('sweep'), version }) ?? {};
  try {
    const answer = await call(connection, { ...messages, version }, body as MessageInput<unknown>);
    const bad = errorCodes(answer).filter((code) => code === -1 || code === 35);
    return bad.length === 0 ? undefined : `${messages.name} v${version}: error ${bad.join()}`;
  } catch (error) {
    return `${messages.name} v${version}: ${(error as Error).message}`;
  } finally {
    connection.close();
  }
}

describe('every announced API', () => {
  beforeAll(async () => {
    const connection = await RawConnection.open(interop.port);
    const api = { request: apiVersionsRequest, response: apiVersionsResponse, version: 4 };
    const answer = await call(connection, api, {
      clientSoftwareName: 'interop',
      clientSoftwareVersion: '1.0',
    });
    connection.close();
    announced = answer.apiKeys.map((range) => ({
      ...range,
      name: messagesByApiKey(range.apiKey)?.name ?? `key ${range.apiKey}`,
    }));
    const topic = unique('swept');
    world = { topic, topicId: await createTopic(topic) };
  });

  test('the ranges are those of Kafka 4.3', () => {
    const ranges = Object.fromEntries(announced.map((api) => [api.name, [api.minVersion, api.maxVersion]]));
    expect(ranges).toMatchObject(expected);
    expect(announced.filter((api) => api.name.startsWith('key '))).toEqual([]);
  });

  test('answers a well-formed request at every version, with a message that decodes to its last byte', async () => {
    const problems: string[] = [];
    let asked = 0;
    for (const api of announced) {
      const { request } = messagesByApiKey(api.apiKey)!;
      // Kafka announces Produce 0 to 2 for old librdkafka only; no message of those versions exists any more.
      const first = Math.max(api.minVersion, request.minVersion);
      for (let version = first; version <= Math.min(api.maxVersion, request.maxVersion); version += 1) {
        asked += 1;
        const problem = await ask(api, version);
        if (problem !== undefined) problems.push(problem);
      }
    }
    expect(problems).toEqual([]);
    expect(asked).toBeGreaterThan(100);
  });
});
