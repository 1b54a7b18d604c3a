import * as protocol from '../dist/index.js';

/**
 * CPU time per call of the hot codecs, garbage collection included: `node packages/protocol/bench/codec.mjs` (after `npm run build`). Figures are medians of
 * five runs; the record bytes themselves are never touched, so their size does not matter.
 */
const RUNS = 5;
const { encodeRequest, encodeResponse, decodeRequestHeader, decodeMessage } = protocol;
const topicId = 'x2qUHy7oTZSLbYsX3wS4mQ';
const records = Buffer.alloc(16 * 1024);
const header = { correlationId: 7, clientId: 'producer-1' };

measure('produce v9, 1 partition: decode header and request', 200_000, decodeProduce(9, 1));
measure('produce v13, 1 partition: decode header and request', 200_000, decodeProduce(13, 1));
measure('produce v13, 50 partitions: decode header and request', 20_000, decodeProduce(13, 50));
measure('produce response v13, 1 partition: encode', 200_000, encodeProduceResponse(1));
measure('fetch request v17, 1 partition: decode', 200_000, decodeFetch(17, 1));
measure('fetch request v12, 50 partitions: decode', 20_000, decodeFetch(12, 50));
measure('fetch response v17, 1 partition: encode', 200_000, encodeFetch(17, 1));
measure('fetch response v12, 50 partitions: encode', 20_000, encodeFetch(12, 50));
measure('record batch: read its header, patch base offset and leader epoch', 500_000, handleBatch());
for (const size of [100, 400, 1024, 16 * 1024, 1024 * 1024]) {
  const bytes = Buffer.alloc(size, 'crc');
  measure(`crc32c of ${size} bytes`, Math.ceil(2e8 / (size + 2000)), () => protocol.crc32c(bytes));
}

function decodeProduce(version, count) {
  const frame = Buffer.concat(
    encodeRequest(protocol.produceRequest, version, header, {
      acks: -1,
      timeoutMs: 30_000,
      topicData: [
        {
          ...(version >= 13 ? { topicId } : { name: 'payments' }),
          partitionData: partitions(count, (index) => ({ index, records })),
        },
      ],
    }),
  ).subarray(4);
  return () => {
    const { apiVersion, bodyStart } = decodeRequestHeader(frame);
    return decodeMessage(protocol.produceRequest, apiVersion, frame, bodyStart);
  };
}

function encodeProduceResponse(count) {
  const partitionResponses = partitions(count, (index) => ({
    index,
    errorCode: 0,
    baseOffset: 123_456,
    logAppendTimeMs: -1,
    logStartOffset: 0,
  }));
  const value = { responses: [{ topicId, partitionResponses }], throttleTimeMs: 0 };
  return () => encodeResponse(protocol.produceResponse, 13, 7, value);
}

function decodeFetch(version, count) {
  const topic = version >= 13 ? { topicId } : { topic: 'payments' };
  const frame = Buffer.concat(
    encodeRequest(protocol.fetchRequest, version, header, {
      maxWaitMs: 500,
      minBytes: 1,
      topics: [
        {
          ...topic,
          partitions: partitions(count, (partition) => ({
            partition,
            fetchOffset: 5_000_000,
            partitionMaxBytes: 1 << 20,
          })),
        },
      ],
    }),
  ).subarray(4);
  return () => decodeMessage(protocol.fetchRequest, version, frame, decodeRequestHeader(frame).bodyStart);
}

function encodeFetch(version, count) {
  const topic = version >= 13 ? { topicId } : { topic: 'payments' };
  const value = {
    throttleTimeMs: 0,
    errorCode: 0,
    sessionId: 0,
    responses: [
      {
        ...topic,
        partitions: partitions(count, (partitionIndex) => ({
          partitionIndex,
          errorCode: 0,
          highWatermark: 5_000_000,
          lastStableOffset: 5_000_000,
          logStartOffset: 0,
          abortedTransactions: null,
          preferredReadReplica: -1,
          records,
        })),
      },
    ],
  };
  return () => encodeResponse(protocol.fetchResponse, version, 7, value);
}

function handleBatch() {
  const batch = protocol.encodeBatch({ records: [{ timestamp: 1, value: records }] });
  const patch = { baseOffset: 123_456, partitionLeaderEpoch: 3 };
  return () => {
    const summary = protocol.readBatchSummary(batch, 0);
    protocol.patchBatch(batch, 0, patch);
    return summary;
  };
}

function partitions(count, create) {
  return Array.from({ length: count }, (_, index) => create(index));
}

function measure(name, calls, run) {
  for (let index = 0; index < calls; index++) run();
  const times = Array.from({ length: RUNS }, () => {
    const before = process.cpuUsage();
    for (let index = 0; index < calls; index++) run();
    const { user, system } = process.cpuUsage(before);
    return (1000 * (user + system)) / calls;
  });
  const median = times.sort((a, b) => a - b)[RUNS >> 1];
  console.log(`${name.padEnd(72)} ${median.toFixed(0).padStart(9)} ns`);
}
