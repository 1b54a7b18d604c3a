import { UnsupportedVersionError } from '../protocol-error.ts';
import type { MessageInput, MessageSchema } from '../schema/message-schema.ts';
import { ByteWriter } from './byte-writer.ts';
import { compileDecoder } from './compile-decoder.ts';
import { compileEncoder } from './compile-encoder.ts';
import type { MessageDecoder, MessageEncoder } from './compiled-codec.ts';
import { cursor } from './wire.ts';

/**
 * Decodes a whole message body that begins at `start`. Text is copied; byte fields are views of `bytes`.
 * @throws ProtocolError on anything malformed, and on bytes left over
 * @throws UnsupportedVersionError when the message has no such version
 */
export function decodeMessage<T>(schema: MessageSchema<T>, version: number, bytes: Buffer, start = 0): T {
  return decoderOf(schema, version)(bytes, start, true);
}

/** The same for a message that is followed by something else: also says where it ended. */
export function decodeMessagePrefix<T>(
  schema: MessageSchema<T>,
  version: number,
  bytes: Buffer,
  start = 0,
): { value: T; end: number } {
  const value = decoderOf(schema, version)(bytes, start, false);
  return { value, end: cursor.position };
}

/**
 * Encodes a message body into one buffer.
 * @throws UnsupportedVersionError when the version does not exist, or cannot carry a field that is set and not ignorable
 * @throws ProtocolError when a value does not fit its field
 */
export function encodeMessage<T>(schema: MessageSchema<T>, version: number, value: MessageInput<T>): Buffer {
  const writer = new ByteWriter();
  encoderOf(schema, version)(value, writer);
  return writer.toBuffer();
}

/** Encodes a message body behind what `writer` holds already; long byte fields go in by reference. */
export function encodeMessageTo<T>(
  schema: MessageSchema<T>,
  version: number,
  value: MessageInput<T>,
  writer: ByteWriter,
): void {
  encoderOf(schema, version)(value, writer);
}

/** The decoder of a message at a version, compiled on first use. */
export function decoderOf<T>(schema: MessageSchema<T>, version: number): MessageDecoder<T> {
  const known = schema.decoders[version];
  if (known !== undefined) return known;
  checkVersion(schema, version);
  const decoder = compileDecoder(schema, version);
  schema.decoders[version] = decoder;
  return decoder;
}

/** The encoder of a message at a version, compiled on first use. */
export function encoderOf<T>(schema: MessageSchema<T>, version: number): MessageEncoder {
  const known = schema.encoders[version];
  if (known !== undefined) return known;
  checkVersion(schema, version);
  const encoder = compileEncoder(schema, version);
  schema.encoders[version] = encoder;
  return encoder;
}

function checkVersion(schema: MessageSchema<unknown>, version: number): void {
  if (Number.isInteger(version) && schema.supports(version)) return;
  throw new UnsupportedVersionError(
    `${schema.name} has no version "${version}", it has ${schema.minVersion} to ${schema.maxVersion}`,
  );
}
