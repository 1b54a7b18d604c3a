import { listOffsetsRequest, listOffsetsResponse } from '@ottla/protocol';
import { delay } from '../command.ts';
import { RawConnection } from '../raw-connection.ts';
import type { Acknowledged } from './acked-load.ts';
import { ask, checkBatches, type FetchedPartition, fetchedPartitions, sendFetch } from './requests.ts';

const OFFSET_OUT_OF_RANGE = 1;
const EARLIEST_TIMESTAMP = -2;
/** Much more than the kernel buffers, so that the broker is in the middle of an answer when the reader pauses. */
const MAX_ANSWER_BYTES = 24 * 1024 * 1024;

export interface ReadingShape {
  readonly partitionCount: number;
  readonly readerCount: number;
  /** Offsets may be missing between two records. */
  readonly isCompacted: boolean;
  /** What the broker has acknowledged so far: a record that was read must be the one at its offset. */
  readonly acknowledged: Acknowledged;
}

/**
 * Readers that go through all partitions of a topic from the log start to the end, again and again, in answers of all
 * sizes; every other one takes its answers by fits and starts. What they read is checked: CRCs, no gap between batches
 * unless the topic is compacted, and the numbers of the records.
 */
export class ReadingLoad {
  readonly #port: number;
  readonly #topic: string;
  readonly #shape: ReadingShape;
  readonly #readers: Promise<void>[] = [];
  #isStopped = false;
  #bytes = 0;
  readonly #faults: string[] = [];

  constructor(port: number, topic: string, shape: ReadingShape) {
    this.#port = port;
    this.#topic = topic;
    this.#shape = shape;
  }

  /** Bytes of records that were read and checked. */
  get bytes(): number {
    return this.#bytes;
  }

  start(): void {
    for (let reader = 0; reader < this.#shape.readerCount; reader += 1)
      this.#readers.push(this.#read(reader % 2 === 1));
  }

  /** Resolves with what was wrong, a line each. */
  async stop(): Promise<readonly string[]> {
    this.#isStopped = true;
    await Promise.all(this.#readers);
    return this.#faults;
  }

  async #read(isSlow: boolean): Promise<void> {
    const connection = await RawConnection.open(this.#port);
    const offsets = new Map(Array.from({ length: this.#shape.partitionCount }, (_, index) => [index, 0]));
    while (!this.#isStopped) {
      const answerBytes = Math.floor(MAX_ANSWER_BYTES ** Math.random()) + 1;
      sendFetch(connection, this.#topic, {
        offsets,
        maxBytes: answerBytes,
        partitionMaxBytes: Math.ceil(answerBytes / 2),
      });
      const answer = connection.receive(60_000);
      if (isSlow) await stutter(connection, answer);
      const frame = await answer;
      if (frame === undefined) {
        this.#faults.push(`"${this.#topic}": an answer broke off, or did not come within a minute`);
        break;
      }
      for (const fetched of fetchedPartitions(frame)) {
        const { partition } = fetched;
        offsets.set(
          partition,
          this.#check(fetched, offsets.get(partition)!) ?? (await this.#start(partition)),
        );
      }
    }
    connection.close();
  }

  /** The log start offset. */
  async #start(partition: number): Promise<number> {
    const partitions = [{ partitionIndex: partition, timestamp: EARLIEST_TIMESTAMP }];
    const body = { replicaId: -1, topics: [{ name: this.#topic, partitions }] };
    const api = { request: listOffsetsRequest, response: listOffsetsResponse, version: 6 };
    return (await ask(this.#port, api, body)).topics[0]!.partitions[0]!.offset;
  }

  /** Returns where to read on; null for the log start. */
  #check(fetched: FetchedPartition, from: number): number | null {
    const { partition, errorCode, highWatermark, records } = fetched;
    const at = `"${this.#topic}-${partition}" at offset ${from}`;
    // What was there has been deleted.
    if (errorCode === OFFSET_OUT_OF_RANGE) return null;
    if (errorCode !== 0) {
      this.#faults.push(`${at}: error ${errorCode}`);
      return null;
    }
    const known = this.#shape.acknowledged[partition]!;
    let next = from;
    const { badBatches, nextOffset } = checkBatches(records, (offset, number) => {
      // The first batch may begin before the offset that was asked for.
      const isInOrder = this.#shape.isCompacted ? offset >= next : offset === next;
      if (offset >= from && !isInOrder) this.#faults.push(`${at}: ${offset} where ${next} should be`);
      if (offset >= from) next = offset + 1;
      const expected = known.get(offset);
      if (expected !== undefined && expected !== number)
        this.#faults.push(`${at}: offset ${offset} has record ${number} instead of ${expected}`);
    });
    if (badBatches > 0) this.#faults.push(`${at}: wrong CRC in ${badBatches} batches`);
    this.#bytes += records.length;
    const readTo = nextOffset ?? from;
    return readTo >= highWatermark ? null : readTo;
  }
}

/** Takes what comes in short gulps until it is whole. */
async function stutter(connection: RawConnection, answer: Promise<unknown>): Promise<void> {
  let isWhole = false;
  void answer.then(() => {
    isWhole = true;
  });
  while (!isWhole) {
    connection.pause();
    await delay(Math.random() * 60);
    connection.resume();
    await delay(Math.random() * 4);
  }
}
