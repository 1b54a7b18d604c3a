import { ApiKeys } from '@ottla/protocol';
import { RECORD_REQUESTS } from '../transcripts/record-requests.ts';
import { isBufferJson, transcriptSuite } from '../transcripts/transcript-suite.ts';

/** As JSON, with what differs from machine to machine left out: directories, and the bytes that gzip makes. */
function normalised(response: unknown): unknown {
  return JSON.parse(
    JSON.stringify(response, (key, value: unknown) => {
      if (key === 'logDir') return 'DIR';
      if (key === 'topicId' && typeof value === 'string' && !/^A+$/.test(value)) return 'ID';
      if (key === 'partitionSize') return 'SIZE';
      return isBufferJson(value) ? wholeBatches(Buffer.from(value.data)).toString('hex') : value;
    }),
  ) as unknown;
}

/** Kafka sends a piece of its file, which may end inside a batch that clients then ignore; we send whole batches only. */
function wholeBatches(records: Buffer): Buffer {
  let end = 0;
  while (end + 12 <= records.length && end + 12 + records.readInt32BE(end + 8) <= records.length) {
    end += 12 + records.readInt32BE(end + 8);
  }
  return records.subarray(0, end);
}

transcriptSuite(
  {
    file: 'records-kafka-4.3.1.json',
    requests: RECORD_REQUESTS,
    titleLength: 160,
    pauseAfterMs: ({ apiKey }) => (apiKey === ApiKeys.CreateTopics ? 1000 : 0),
    normalise: normalised,
  },
  {
    'record APIs answer as Kafka 4.3.1 does, with write.caching=true': { 'write.caching': 'true' },
    'record APIs answer as Kafka 4.3.1 does, with write.caching=false': { 'write.caching': 'false' },
  },
);
