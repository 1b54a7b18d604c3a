import { CONFIG_REQUESTS } from '../transcripts/config-requests.ts';
import { transcriptSuite } from '../transcripts/transcript-suite.ts';

/** The static configuration of both brokers, beside ports and directories. */
const PROPERTIES = {
  'process.roles': 'broker,controller',
  'node.id': '1',
  'controller.quorum.voters': '1@127.0.0.1:1',
  listeners: 'PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0',
  'controller.listener.names': 'CONTROLLER',
  'inter.broker.listener.name': 'PLAINTEXT',
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
};

transcriptSuite(
  {
    file: 'configs-kafka-4.3.1.json',
    requests: CONFIG_REQUESTS,
    titleLength: 160,
    pauseAfterMs: () => 200,
    // One config a line.
    format: (json) => json.replaceAll(']","', ']",\n"'),
  },
  { 'config APIs answer as Kafka 4.3.1 does': PROPERTIES },
);
