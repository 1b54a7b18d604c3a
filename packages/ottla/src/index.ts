export { startBroker } from '@ottla/broker';
export type { BoundListener, Broker, BrokerOptions } from '@ottla/broker';
