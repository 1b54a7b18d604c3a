import type { BrokerConfig } from '../config/broker-config.ts';
import type { InternalTopicSpec } from './auto-topic-creation.ts';
import { GROUP_METADATA_TOPIC, SHARE_GROUP_STATE_TOPIC, TRANSACTION_STATE_TOPIC } from './topic-names.ts';

/**
 * How a coordinator's topic is created on first use, from its own keys: never `num.partitions`. Compacted, but for the
 * state of share groups: its coordinator deletes what it needs no more.
 * Undefined for ordinary topics.
 */
export function internalTopicSpec(config: BrokerConfig, name: string): InternalTopicSpec | undefined {
  if (name === GROUP_METADATA_TOPIC) {
    return {
      numPartitions: config.get('offsets.topic.num.partitions'),
      replicationFactor: config.get('offsets.topic.replication.factor'),
      configs: [
        { name: 'cleanup.policy', value: 'compact' },
        { name: 'segment.bytes', value: String(config.get('offsets.topic.segment.bytes')) },
        { name: 'compression.type', value: 'producer' },
      ],
    };
  }
  if (name === TRANSACTION_STATE_TOPIC) {
    return {
      numPartitions: config.get('transaction.state.log.num.partitions'),
      replicationFactor: config.get('transaction.state.log.replication.factor'),
      configs: [
        { name: 'unclean.leader.election.enable', value: 'false' },
        { name: 'compression.type', value: 'uncompressed' },
        { name: 'cleanup.policy', value: 'compact' },
        { name: 'min.insync.replicas', value: String(config.get('transaction.state.log.min.isr')) },
        { name: 'segment.bytes', value: String(config.get('transaction.state.log.segment.bytes')) },
      ],
    };
  }
  if (name === SHARE_GROUP_STATE_TOPIC) {
    return {
      numPartitions: config.get('share.coordinator.state.topic.num.partitions'),
      replicationFactor: config.get('share.coordinator.state.topic.replication.factor'),
      configs: [
        { name: 'cleanup.policy', value: 'delete' },
        { name: 'compression.type', value: 'producer' },
        { name: 'segment.bytes', value: String(config.get('share.coordinator.state.topic.segment.bytes')) },
        { name: 'min.insync.replicas', value: String(config.get('share.coordinator.state.topic.min.isr')) },
        { name: 'retention.ms', value: '-1' },
      ],
    };
  }
  return undefined;
}
