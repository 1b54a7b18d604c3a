import { ApiKeys } from '@ottla/protocol';
import { CLUSTER_REQUESTS } from '../transcripts/cluster-requests.ts';
import { quorumAnswer } from '../transcripts/quorum-values.ts';
import { transcriptSuite } from '../transcripts/transcript-suite.ts';

transcriptSuite(
  {
    file: 'cluster-kafka-4.3.1.json',
    requests: CLUSTER_REQUESTS,
    titleLength: 200,
    pauseAfterMs: ({ apiKey }) => (apiKey === ApiKeys.CreateTopics ? 1000 : 0),
    normalise: quorumAnswer,
  },
  {
    'a cluster of one node is administered as with Kafka 4.3.1': {
      'node.id': '1',
      'process.roles': 'broker,controller',
      'controller.quorum.voters': '1@127.0.0.1:24093',
      'controller.listener.names': 'CONTROLLER',
    },
  },
);
