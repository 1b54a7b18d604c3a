/**
 * kafkajs's API on this client: a program moves by changing its import from 'kafkajs' to '@ottla/client/kafkajs'. What differs is
 * listed in docs/from-kafkajs.md.
 */
export { Kafka } from './kafka.ts';
export { Admin, type AdminConfig } from './admin.ts';
export * from './admin-types.ts';
export {
  AssignerProtocol,
  type Assignment,
  type MemberAssignment,
  type MemberMetadata,
} from './assigner-protocol.ts';
export { type KafkaConfig, type RetryOptions, type SASLOptions } from './config.ts';
export * from './constants.ts';
export { Consumer } from './consumer.ts';
export * from './consumer-types.ts';
export {
  KafkaJSAggregateError,
  KafkaJSConnectionError,
  KafkaJSDeleteGroupsError,
  KafkaJSError,
  KafkaJSNonRetriableError,
  KafkaJSNotImplemented,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSProtocolError,
  KafkaJSRequestTimeoutError,
  KafkaJSSASLAuthenticationError,
} from './errors.ts';
export { type InstrumentationEvent, type RemoveInstrumentationEventListener } from './events.ts';
export { type KafkaJSLogger as Logger, type LogEntry, type logCreator } from './logger.ts';
export { Partitioners } from './partitioners.ts';
export { Producer } from './producer.ts';
export * from './producer-types.ts';
