export * from './api/api-messages.ts';
export * from './api/record-frame.ts';
export { decodeRequestHeader, encodeRequest, type DecodedRequestHeader } from './api/request-frame.ts';
export { decodeResponse, encodeResponse, responseHeaderVersion } from './api/response-frame.ts';
export { ByteWriter } from './codec/byte-writer.ts';
export { decodeMessage, decodeMessagePrefix, encodeMessage, encodeMessageTo } from './codec/codec.ts';
export { messageFromJson, messageToJson, type Json } from './codec/json.ts';
export { INT64_MAX, INT64_MIN, ZERO_UUID } from './codec/wire.ts';
export { compress, decompress } from './compression/compression.ts';
export { ErrorCodes } from './errors/error-codes.ts';
export { errorMessage } from './errors/error-messages.ts';
export { errorName, isRetriable, type ErrorName } from './errors/errors.ts';
export { ApiKeys } from './messages/api-table.ts';
export { allMessages } from './messages/all-messages.ts';
export * from './messages/index.ts';
export * from './protocol-error.ts';
export * from './records/batch-format.ts';
export * from './records/batch-summary.ts';
export * from './records/control-records.ts';
export { crc32c } from './records/crc32c.ts';
export {
  encodeBatch,
  writeBatchHeader,
  type BatchHeaderInput,
  type BatchInput,
  type RecordInput,
} from './records/encode-batch.ts';
export { murmur2, partitionForKey } from './records/murmur2.ts';
export { readRecordHeaders, RecordReader, type RecordHeader } from './records/record-reader.ts';
export * from './records/records.ts';
export { sizeOfSignedVarint, writeSignedVarint } from './records/varint.ts';
export {
  type ApiListener,
  type Infer,
  type MessageInput,
  type MessageSchema,
  type MessageType,
} from './schema/message-schema.ts';
export { type Field, type FieldsValue } from './schema/field.ts';
