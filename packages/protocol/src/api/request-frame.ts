import { ByteWriter } from '../codec/byte-writer.ts';
import { decoderOf, encodeMessageTo } from '../codec/codec.ts';
import { cursor } from '../codec/wire.ts';
import { requestHeader } from '../messages/headers.ts';
import { ProtocolError } from '../protocol-error.ts';
import type { MessageInput, MessageSchema } from '../schema/message-schema.ts';
import { messagesByApiKey } from './api-messages.ts';

/** A request header, and where in the frame the body begins. */
export interface DecodedRequestHeader {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  readonly bodyStart: number;
}

/** Bytes of the length in front of every frame. */
const FRAME_LENGTH_BYTES = 4;

/**
 * Reads the header of a request frame (without its length). The version may be one that the API does not have: the
 * header is then read as Kafka reads it, so that ApiVersions can be answered with UNSUPPORTED_VERSION.
 * @throws ProtocolError when it is malformed or names no API
 */
export function decodeRequestHeader(frame: Buffer): DecodedRequestHeader {
  if (frame.length < 8) throw new ProtocolError('RequestHeader: Message ends too early at byte 0', 0);
  const apiKey = frame.readInt16BE(0);
  const api = messagesByApiKey(apiKey);
  if (api === undefined) throw new ProtocolError(`Unknown API key "${apiKey}"`, 0);
  const apiVersion = frame.readInt16BE(2);
  const headerVersion = api.request.isFlexible(apiVersion) ? 2 : 1;
  const header = decoderOf(requestHeader, headerVersion)(frame, 0, false);
  return {
    apiKey,
    apiVersion,
    correlationId: header.correlationId,
    clientId: header.clientId,
    bodyStart: cursor.position,
  };
}

/** Encodes a whole request frame, length included, as a list of buffers. */
export function encodeRequest<T>(
  schema: MessageSchema<T>,
  version: number,
  header: { readonly correlationId: number; readonly clientId: string | null },
  value: MessageInput<T>,
): Buffer[] {
  const writer = new ByteWriter();
  writer.int32(0);
  encodeMessageTo(
    requestHeader,
    schema.isFlexible(version) ? 2 : 1,
    { requestApiKey: schema.apiKey, requestApiVersion: version, ...header },
    writer,
  );
  encodeMessageTo(schema, version, value, writer);
  return framed(writer);
}

/** Puts the length of everything behind it into the first four bytes. */
export function framed(writer: ByteWriter): Buffer[] {
  const length = writer.length - FRAME_LENGTH_BYTES;
  const chunks = writer.chunks();
  chunks[0]?.writeInt32BE(length, 0);
  return chunks;
}
