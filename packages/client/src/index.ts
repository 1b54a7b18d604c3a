export { connect, Ottla } from './connect.ts';
export { type CallLimits } from './cluster/limits.ts';
export * from './errors/client-errors.ts';
export {
  AuthorizationError,
  isKafkaError,
  isRetriableError,
  KafkaError,
  type ClientErrorName,
} from './errors/kafka-error.ts';
export { type SaslExchange, type SaslMechanism, type SaslOptions } from './network/sasl/sasl-mechanism.ts';
export { type TlsOptions } from './network/tls-options.ts';
export { type ClientMetrics, type ConnectionEvent, type RequestEvent } from './options/client-hooks.ts';
export { type ClientOptions } from './options/client-options.ts';
export { serde } from './serde/serdes.ts';
export { type Serde, type SerdeContext, type SerdeType } from './serde/serde.ts';
export { type StandardSchema } from './serde/standard-schema.ts';
export { topic, type KeyOf, type Topic, type TopicOptions, type ValueOf } from './topic.ts';
