/** Node clients that are compared; `librdkafka` is @confluentinc/kafka-javascript, where it can be installed. */
export const nodeClients = ['ottla', 'kafkajs', 'platformatic', 'librdkafka'] as const;
export type NodeClient = (typeof nodeClients)[number];
