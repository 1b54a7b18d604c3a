import { TOPIC_REQUESTS } from '../transcripts/topic-requests.ts';
import { transcriptSuite } from '../transcripts/transcript-suite.ts';

transcriptSuite(
  {
    file: 'topics-kafka-4.3.1.json',
    requests: TOPIC_REQUESTS,
    titleLength: 100,
    pauseAfterMs: () => 300,
  },
  { 'topic APIs answer as Kafka 4.3.1 does': { 'auto.create.topics.enable': 'false' } },
);
