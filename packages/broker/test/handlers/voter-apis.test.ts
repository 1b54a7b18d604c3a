import { quorumAnswer } from '../transcripts/quorum-values.ts';
import { transcriptSuite } from '../transcripts/transcript-suite.ts';
import { VOTER_REQUESTS } from '../transcripts/voter-requests.ts';

transcriptSuite(
  {
    file: 'voters-kafka-4.3.1.json',
    requests: VOTER_REQUESTS,
    titleLength: 200,
    pauseAfterMs: () => 0,
    normalise: quorumAnswer,
  },
  {
    'voters of a dynamic quorum are asked for and changed as with Kafka 4.3.1': {
      'node.id': '1',
      'process.roles': 'broker,controller',
      listeners: 'PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:24593',
      'controller.quorum.bootstrap.servers': '127.0.0.1:24593',
      'controller.listener.names': 'CONTROLLER',
    },
  },
);
