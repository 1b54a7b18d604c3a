export { Broker, startBroker } from './broker.ts';
export type { BoundListener, BrokerOptions, LoadProgress } from './broker.ts';
export { BrokerInterventions } from './broker-interventions.ts';
export {
  type Interception,
  type InterceptedRequest,
  type RequestInterceptor,
} from './network/request-interceptor.ts';
export { BrokerConfig } from './config/broker-config.ts';
export { brokerKeys, findKey } from './config/catalogue.ts';
export { ConfigError } from './config/config-error.ts';
export { parseOverride, parseProperties } from './config/properties-file.ts';
