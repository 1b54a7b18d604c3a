import {
  createTopicsRequest,
  createTopicsResponse,
  decodeResponse,
  encodeBatch,
  encodeRequest,
  produceRequest,
  produceResponse,
} from '@ottla/protocol';
import { delay } from '../command.ts';
import { RawConnection } from '../raw-connection.ts';
import { ask, checkBatches, fetchedPartitions, header, sendFetch } from './requests.ts';

const PRODUCE_VERSION = 9;
const CREATE_TOPICS_VERSION = 7;

/** What a broker acknowledged: the number of the record at each offset, by partition. */
export type Acknowledged = readonly ReadonlyMap<number, number>[];

/** What reading back found. */
export interface Verdict {
  readonly acknowledged: number;
  /** Acknowledged records that are not where they were acknowledged. */
  readonly lost: number;
  /** Offsets that hold another record than the acknowledged one, or a batch with a wrong CRC. */
  readonly wrong: number;
}

/**
 * Writes numbered records with acks=all over one connection for each partition, as fast as they are acknowledged, and
 * remembers every acknowledgement. A broker that dies is waited for; what it had not acknowledged is not sent again, so
 * that each number is written once at most.
 */
export class AckedLoad {
  readonly #port: number;
  readonly #topic: string;
  readonly #acknowledged: Map<number, number>[];
  readonly #valueBytes: number;
  readonly #writers: Promise<void>[] = [];
  #isStopped = false;
  /** Refusals by Kafka's error code. */
  readonly refusals = new Map<number, number>();

  /** Values have at least `valueBytes`, 50 by default, and up to 900 more. */
  constructor(port: number, topic: string, shape: { partitionCount: number; valueBytes?: number }) {
    const { partitionCount, valueBytes = 50 } = shape;
    this.#port = port;
    this.#topic = topic;
    this.#valueBytes = valueBytes;
    this.#acknowledged = Array.from({ length: partitionCount }, () => new Map());
  }

  get count(): number {
    return this.#acknowledged.reduce((sum, offsets) => sum + offsets.size, 0);
  }

  get acknowledged(): Acknowledged {
    return this.#acknowledged;
  }

  start(): void {
    for (const partition of this.#acknowledged.keys()) this.#writers.push(this.#write(partition));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#writers);
  }

  async #write(partition: number): Promise<void> {
    let next = 0;
    while (!this.#isStopped) {
      const connection = await RawConnection.open(this.#port).catch(() => null);
      if (connection === null) {
        await delay(10);
        continue;
      }
      while (!this.#isStopped) {
        const first = next;
        const count = 1 + (first % 7);
        next += count;
        const offset = await this.#produce(connection, partition, { first, count });
        if (offset === undefined) break;
        if (offset < 0) {
          await delay(5);
          continue;
        }
        for (let i = 0; i < count; i += 1) this.#acknowledged[partition]!.set(offset + i, first + i);
      }
      connection.close();
    }
  }

  /** The offset of the acknowledged batch, -1 when it was refused, undefined when the connection ended. */
  async #produce(
    connection: RawConnection,
    partition: number,
    numbers: { first: number; count: number },
  ): Promise<number | undefined> {
    const records = encodeBatch({
      records: Array.from({ length: numbers.count }, (_, i) => ({
        timestamp: Date.now(),
        key: Buffer.from(`k${(numbers.first + i) % 50}`),
        value: Buffer.from(
          `${numbers.first + i}:`.padEnd(this.#valueBytes + ((numbers.first * 37) % 900), 'x'),
        ),
      })),
    });
    const body = {
      acks: -1,
      timeoutMs: 10_000,
      topicData: [{ name: this.#topic, partitionData: [{ index: partition, records }] }],
    };
    connection.send(...encodeRequest(produceRequest, PRODUCE_VERSION, header, body));
    const frame = await connection.receive(20_000);
    if (frame === undefined) return undefined;
    const answer = decodeResponse(produceResponse, PRODUCE_VERSION, frame).value.responses[0]!;
    const { errorCode, baseOffset } = answer.partitionResponses[0]!;
    if (errorCode === 0) return baseOffset;
    this.refusals.set(errorCode, (this.refusals.get(errorCode) ?? 0) + 1);
    return -1;
  }
}

/** Creates the topic of a load. Throws with Kafka's error code. */
export async function createLoadTopic(
  port: number,
  topic: string,
  options: { partitionCount: number; configs?: Readonly<Record<string, string>> },
): Promise<void> {
  const configs = Object.entries(options.configs ?? {}).map(([name, value]) => ({ name, value }));
  const topics = [{ name: topic, numPartitions: options.partitionCount, replicationFactor: 1, configs }];
  const answer = await ask(
    port,
    { request: createTopicsRequest, response: createTopicsResponse, version: CREATE_TOPICS_VERSION },
    { topics, timeoutMs: 10_000 },
  );
  const { errorCode } = answer.topics[0]!;
  if (errorCode !== 0) throw new Error(`Topic "${topic}" was refused with error ${errorCode}`);
}

/**
 * Reads everything back and compares it with what was acknowledged. With `isCompacted` an acknowledged record may be gone
 * when a later one has its key (`k` and its number modulo 50).
 */
export async function verify(
  port: number,
  topic: string,
  load: { acknowledged: Acknowledged; isCompacted?: boolean },
): Promise<Verdict> {
  const verdict = { acknowledged: 0, lost: 0, wrong: 0 };
  for (const [partition, offsets] of load.acknowledged.entries()) {
    const { found, badBatches } = await readPartition(port, topic, partition);
    verdict.wrong += badBatches;
    const newest = new Map<string, number>();
    for (const [offset, number] of found) newest.set(`k${number % 50}`, offset);
    for (const [offset, number] of offsets) {
      verdict.acknowledged += 1;
      const stored = found.get(offset);
      const isSuperseded = load.isCompacted === true && (newest.get(`k${number % 50}`) ?? -1) > offset;
      if (stored === undefined && !isSuperseded) verdict.lost += 1;
      else if (stored !== undefined && stored !== number) verdict.wrong += 1;
    }
  }
  return verdict;
}

async function readPartition(
  port: number,
  topic: string,
  partition: number,
): Promise<{ found: Map<number, number>; badBatches: number }> {
  const connection = await RawConnection.open(port);
  const found = new Map<number, number>();
  let badBatches = 0;
  for (let offset = 0, end = Infinity; offset < end;) {
    sendFetch(connection, topic, {
      offsets: new Map([[partition, offset]]),
      maxBytes: 8_000_000,
      partitionMaxBytes: 4_000_000,
    });
    const frame = await connection.receive(20_000);
    if (frame === undefined) throw new Error(`No answer to a fetch of "${topic}-${partition}" at ${offset}`);
    const { errorCode, highWatermark, records } = fetchedPartitions(frame)[0]!;
    if (errorCode !== 0) throw new Error(`Fetch of "${topic}-${partition}" at ${offset}: error ${errorCode}`);
    end = highWatermark;
    if (records.length === 0 && offset < end)
      throw new Error(`"${topic}-${partition}" is stuck at ${offset}`);
    const checked = checkBatches(records, (at, number) => found.set(at, number));
    badBatches += checked.badBatches;
    offset = checked.nextOffset ?? offset;
  }
  connection.close();
  return { found, badBatches };
}
