import * as protocol from '../dist/index.js';

/** The checks behind `npm run vectors`, one per kind of vector; each throws when the codec differs. */
const schemas = new Map(protocol.allMessages.map((schema) => [schema.name, schema]));

/** A message: `hex` must decode to `json`, and `json` encode to `hex`. */
export function checkMessage({ message }, { version, hex, json }) {
  const schema = schemas.get(message);
  if (schema === undefined) throw new Error('No such message');
  const decoded = protocol.decodeMessage(schema, version, Buffer.from(hex, 'hex'));
  const shown = protocol.messageToJson(schema, version, decoded);
  const expected = withRecords(json, shown);
  same('decoded', canonical(shown), canonical(expected));
  const value = protocol.messageFromJson(schema, version, expected);
  same('encoded', protocol.encodeMessage(schema, version, value).toString('hex'), hex);
  same('encoded again', protocol.encodeMessage(schema, version, decoded).toString('hex'), hex);
}

/** The official JSON shows records as empty whatever they hold; there the bytes of `hex` count. */
function withRecords(json, shown) {
  if (Array.isArray(json)) return json.map((one, index) => withRecords(one, shown?.[index]));
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => [
      key,
      /records$/i.test(key) && value === '' ? (shown?.[key] ?? value) : withRecords(value, shown?.[key]),
    ]),
  );
}

const BATCH_FIELDS = [
  'compression',
  'timestampType',
  'baseOffset',
  'lastOffset',
  'maxTimestamp',
  'producerId',
  'producerEpoch',
  'baseSequence',
  'lastSequence',
  'partitionLeaderEpoch',
  'crc',
];

/** A record batch: fields and records as shown; uncompressed ones encode to the same bytes, the others to the same records. */
export function checkBatch(expected) {
  const bytes = Buffer.from(expected.hex, 'hex');
  const summary = protocol.readBatchSummary(bytes, 0);
  for (const field of BATCH_FIELDS) same(field, summary[field], expected[field]);
  same('transactional', summary.isTransactional, expected.transactional);
  same('control', summary.isControl, expected.control);
  same('size', summary.sizeInBytes, bytes.length);
  if (!protocol.validateBatchCrc(bytes, 0)) throw new Error('The CRC does not match');
  const records = protocol.decodeRecords(bytes, 0, { storedTimestamps: true });
  same('records', JSON.stringify(records.map(shownRecord)), JSON.stringify(expected.records));
  const encoded = protocol.encodeBatch({ ...batchInput(expected), records });
  if (expected.compression === 'none') return same('encoded', encoded.toString('hex'), expected.hex);
  if (!protocol.validateBatchCrc(encoded, 0)) throw new Error('The CRC of the encoded batch does not match');
  const again = protocol.decodeRecords(encoded, 0, { storedTimestamps: true });
  return same(
    'encoded and decoded',
    JSON.stringify(again.map(shownRecord)),
    JSON.stringify(expected.records),
  );
}

function batchInput(expected) {
  return {
    baseOffset: expected.baseOffset,
    partitionLeaderEpoch: expected.partitionLeaderEpoch,
    compression: expected.compression,
    producerId: expected.producerId,
    producerEpoch: expected.producerEpoch,
    baseSequence: expected.baseSequence,
    isTransactional: expected.transactional,
    isControl: expected.control,
    ...(expected.timestampType === 'LogAppendTime' && { logAppendTimeMs: expected.maxTimestamp }),
  };
}

function shownRecord({ timestamp, key, value, headers }) {
  const hex = (bytes) => (bytes === null ? null : bytes.toString('hex'));
  return {
    timestamp,
    key: hex(key),
    value: hex(value),
    headers: headers.map((header) => [header.key, hex(header.value)]),
  };
}

export function checkMurmur2({ key, murmur2, partitionOf12 }) {
  const bytes = Buffer.from(key, 'hex');
  same('murmur2', protocol.murmur2(bytes), murmur2);
  same('partition', protocol.partitionForKey(bytes, 12), partitionOf12);
}

function canonical(json) {
  return JSON.stringify(json);
}

function same(what, actual, expected) {
  if (actual !== expected) throw new Error(`${what}: ${actual}, expected ${expected}`);
}
