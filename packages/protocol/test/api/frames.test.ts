import { describe, expect, test } from 'vitest';
import {
  ApiKeys,
  apiVersionsResponse,
  coordinatorRecordType,
  decodeCoordinatorKey,
  decodeCoordinatorValue,
  decodeMessage,
  decodeMetadataRecord,
  decodeRequestHeader,
  decodeResponse,
  encodeCoordinatorKey,
  encodeCoordinatorValue,
  encodeMetadataRecord,
  encodeRequest,
  encodeResponse,
  metadataRequest,
  metadataResponse,
  offsetCommitKey,
  offsetCommitValue,
  ProtocolError,
  schemaTable,
  topicRecord,
} from '../../src/index.ts';

describe('request frames', () => {
  test.each([
    [8, 'legacy header'],
    [12, 'flexible header'],
  ])('version %i (%s) comes back as it was sent', (version) => {
    const header = { correlationId: 77, clientId: 'c' };
    const frame = Buffer.concat(encodeRequest(metadataRequest, version, header, { topics: [{ name: 'a' }] }));
    expect(frame.readInt32BE(0)).toBe(frame.length - 4);
    const decoded = decodeRequestHeader(frame.subarray(4));
    expect(decoded).toMatchObject({ ...header, apiKey: ApiKeys.Metadata, apiVersion: version });
    const request = decodeMessage(metadataRequest, version, frame.subarray(4), decoded.bodyStart);
    expect(request.topics?.map((topic) => topic.name)).toEqual(['a']);
  });

  test('a version of ApiVersions from the future still has a header to answer', () => {
    const frame = Buffer.from('0012006300000007ffff00', 'hex');
    expect(decodeRequestHeader(frame)).toMatchObject({ apiVersion: 99, correlationId: 7, clientId: null });
  });

  test.each(['', '0003', '03e7000100000001ffff', '0003000100000001fff0', '00030001000000010005aa'])(
    'the header %s is refused',
    (hex) => {
      expect(() => decodeRequestHeader(Buffer.from(hex, 'hex'))).toThrow(ProtocolError);
    },
  );

  test.each([
    ['65 tagged fields', `0003000c00000001ffff41${'0000'.repeat(65)}`],
    ['a tag twice', '0003000c00000001ffff0205000500'],
    ['tags that descend', '0003000c00000001ffff0206000500'],
    ['a varint of six bytes', '0003000c00000001ffff808080808001'],
  ])('a header with %s is refused', (_, hex) => {
    expect(() => decodeRequestHeader(Buffer.from(hex, 'hex'))).toThrow(ProtocolError);
  });

  test('unknown tagged fields are skipped', () => {
    const frame = Buffer.from('0003000c00000001ffff020502aabb060000', 'hex');
    expect(decodeRequestHeader(frame).bodyStart).toBe(frame.length - 1);
  });
});

describe('response frames', () => {
  test.each([1, 9, 13])('Metadata version %i comes back as it was sent', (version) => {
    const chunks = encodeResponse(metadataResponse, version, 5, { controllerId: 1 });
    const frame = Buffer.concat(chunks);
    expect(frame.readInt32BE(0)).toBe(frame.length - 4);
    const { correlationId, value } = decodeResponse(metadataResponse, version, frame.subarray(4));
    expect([correlationId, value.controllerId, value.topics]).toEqual([5, 1, []]);
  });

  test('ApiVersions has the old header in every version', () => {
    const frame = Buffer.concat(encodeResponse(apiVersionsResponse, 3, 5, { errorCode: 0 }));
    expect(decodeMessage(apiVersionsResponse, 3, frame, 8).errorCode).toBe(0);
  });
});

describe('records of internal topics', () => {
  test('a metadata record carries frame version, type and version', () => {
    const record = { name: 'a', topicId: 'x2qUHy7oTZSLbYsX3wS4mQ' };
    const bytes = encodeMetadataRecord(topicRecord, 0, record);
    expect(bytes.subarray(0, 3).toString('hex')).toBe('010200');
    const decoded = decodeMetadataRecord(bytes, schemaTable([topicRecord]));
    expect(decoded).toMatchObject({ schema: topicRecord, version: 0, value: record });
    expect(() => decodeMetadataRecord(bytes, schemaTable([]))).toThrow(/Unknown record type 2/);
  });

  test('coordinator keys carry their type, values their version', () => {
    const key = encodeCoordinatorKey(offsetCommitKey, { group: 'g', topic: 't', partition: 3 });
    expect(coordinatorRecordType(key)).toBe(1);
    const { value } = decodeCoordinatorKey(key, schemaTable([offsetCommitKey]));
    expect(value).toEqual({ group: 'g', topic: 't', partition: 3 });
    const committed = encodeCoordinatorValue(offsetCommitValue, 3, { offset: 42 });
    expect(committed.readInt16BE(0)).toBe(3);
    expect(decodeCoordinatorValue(offsetCommitValue, committed)).toMatchObject({
      offset: 42,
      leaderEpoch: -1,
    });
  });
});
