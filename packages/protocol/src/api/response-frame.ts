import { ByteWriter } from '../codec/byte-writer.ts';
import { decodeMessage, encodeMessageTo } from '../codec/codec.ts';
import { fail, readVarint, checkTagCount, cursor } from '../codec/wire.ts';
import { ApiKeys } from '../messages/api-table.ts';
import type { MessageInput, MessageSchema } from '../schema/message-schema.ts';
import { framed } from './request-frame.ts';

/** Header version of a response: flexible versions have tagged fields, except ApiVersions, which old clients must read. */
export function responseHeaderVersion(schema: MessageSchema<unknown>, version: number): 0 | 1 {
  return schema.isFlexible(version) && schema.apiKey !== ApiKeys.ApiVersions ? 1 : 0;
}

/** Encodes a whole response frame, length and header included, as a list of buffers for one `writev`. */
export function encodeResponse<T>(
  schema: MessageSchema<T>,
  version: number,
  correlationId: number,
  value: MessageInput<T>,
): Buffer[] {
  const writer = new ByteWriter();
  writer.int32(0);
  writer.int32(correlationId);
  if (responseHeaderVersion(schema, version) === 1) writer.int8(0);
  encodeMessageTo(schema, version, value, writer);
  return framed(writer);
}

/**
 * Decodes a whole response frame (without its length).
 * @throws ProtocolError on anything malformed
 */
export function decodeResponse<T>(
  schema: MessageSchema<T>,
  version: number,
  frame: Buffer,
): { correlationId: number; value: T } {
  if (frame.length < 4) fail('Message ends too early', 'ResponseHeader', 0);
  const correlationId = frame.readInt32BE(0);
  let start = 4;
  if (responseHeaderVersion(schema, version) === 1) start = skipTags(frame, start);
  return { correlationId, value: decodeMessage(schema, version, frame, start) };
}

function skipTags(frame: Buffer, start: number): number {
  const count = readVarint(frame, start, 'ResponseHeader');
  checkTagCount(count, 'ResponseHeader', start);
  let position = cursor.position;
  for (let index = 0; index < count; index++) {
    readVarint(frame, position, 'ResponseHeader');
    const size = readVarint(frame, cursor.position, 'ResponseHeader');
    position = cursor.position + size;
    if (position > frame.length) fail('Message ends too early', 'ResponseHeader', position);
  }
  return position;
}
