import { encodeBatch, ErrorCodes, type RecordInput } from '@ottla/protocol';
import { describe, expect, test } from 'vitest';
import { serde } from '../../src/index.ts';
import { acknowledgementBatches } from '../../src/share/acknowledgement-batches.ts';
import { AcquiredRecords } from '../../src/share/acquired-records.ts';
import { SharePartition } from '../../src/share/share-partition.ts';
import { ShareSession } from '../../src/share/share-session.ts';

const place = (partition: number) => ({ topicId: 'id', partition });

describe('acknowledgement batches', () => {
  test('runs of offsets are joined, with one type or one for each offset', () => {
    const offsets = new Map([
      [5, 1],
      [3, 1],
      [4, 1],
      [9, 2],
      [10, 3],
    ]);
    expect(acknowledgementBatches(offsets)).toEqual([
      { firstOffset: 3, lastOffset: 5, acknowledgeTypes: [1] },
      { firstOffset: 9, lastOffset: 10, acknowledgeTypes: [2, 3] },
    ]);
  });
});

describe('a share session', () => {
  const ack = { ...place(0), acknowledgements: [{ firstOffset: 1, lastOffset: 2, acknowledgeTypes: [1] }] };

  test('names partitions that are new, acknowledged or gone, and counts its epoch over fetches and acknowledgements', () => {
    const session = new ShareSession();
    expect(session.nextFetch([place(0), place(1)], [])).toMatchObject({
      shareSessionEpoch: 0,
      forgottenTopicsData: [],
    });
    expect(session.handle(0)).toBe(true);
    expect(session.nextAcknowledge([ack])).toMatchObject({ shareSessionEpoch: 1 });
    session.handle(0);
    expect(session.nextFetch([place(0)], [ack])).toEqual({
      shareSessionEpoch: 2,
      topics: [
        { topicId: 'id', partitions: [{ partitionIndex: 0, acknowledgementBatches: ack.acknowledgements }] },
      ],
      forgottenTopicsData: [{ topicId: 'id', partitions: [1] }],
    });
    expect(session.nextAcknowledge([], true).shareSessionEpoch).toBe(-1);
  });

  test('a lost session begins anew, and nothing of the old one can be acknowledged in it', () => {
    const session = new ShareSession();
    session.nextFetch([place(0)], []);
    session.handle(0);
    expect(session.handle(ErrorCodes.SHARE_SESSION_NOT_FOUND)).toBe(false);
    expect(session.isOpen).toBe(false);
    const { shareSessionEpoch, topics } = session.nextFetch([place(0)], [ack]);
    expect(shareSessionEpoch).toBe(0);
    expect(topics[0]!.partitions[0]!.acknowledgementBatches).toEqual([]);
  });
});

describe('acquired records', () => {
  const options = {
    serdes: { key: serde.bytes, value: serde.bytes },
    checkCrcs: true,
    isReadCommitted: false,
  };
  const record = (offset: number): RecordInput => ({
    offset,
    timestamp: 1,
    value: Buffer.from(`v${offset}`),
  });

  function open(offsets: readonly number[], acquired: readonly [number, number, number][]) {
    const partition = new SharePartition({ topic: 't', topicId: 'id', partition: 0 });
    const records = encodeBatch({ records: offsets.map(record), baseOffset: offsets[0]! });
    const ranges = acquired.map(([firstOffset, lastOffset, deliveryCount]) => ({
      firstOffset,
      lastOffset,
      deliveryCount,
    }));
    return { partition, acquired: new AcquiredRecords(partition, { records, acquired: ranges }, options) };
  }

  test('only acquired offsets are handed out, and those without a record are gaps', () => {
    const { partition, acquired } = open(
      [10, 11, 13, 14, 15, 18],
      [
        [11, 14, 1],
        [17, 19, 3],
      ],
    );
    const seen: [number, number][] = [];
    while (acquired.next()) {
      seen.push([acquired.reader.offset, acquired.deliveryCount]);
      partition.acknowledge(acquired.reader.offset, 'accept');
    }
    expect(seen).toEqual([
      [11, 1],
      [13, 1],
      [14, 1],
      [18, 3],
    ]);
    expect([...partition.takePending()].toSorted(([a], [b]) => a - b)).toEqual([
      [11, 1],
      [12, 0],
      [13, 1],
      [14, 1],
      [17, 0],
      [18, 1],
      [19, 0],
    ]);
  });

  test('what was not handed out is released; what was acknowledged cannot be again', () => {
    const { partition, acquired } = open([0, 1, 2, 3], [[0, 3, 1]]);
    acquired.next();
    partition.acknowledge(0, 'reject');
    expect(() => partition.acknowledge(0, 'accept')).toThrow('offset 0 cannot be acknowledged');
    acquired.releaseRest();
    expect([...partition.takePending()]).toEqual([
      [0, 3],
      [1, 2],
      [2, 2],
      [3, 2],
    ]);
  });
});
