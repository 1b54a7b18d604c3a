import { HandlerTransport } from '../handler-transport.ts';
import { transcriptSuite } from '../transcript-suite.ts';
import { CONSUMER_SCENARIOS } from './scenarios.ts';

/**
 * Recorded with `group.initial.rebalance.delay.ms=0`, `group.min.session.timeout.ms=100`,
 * `group.consumer.min.session.timeout.ms=1000`, `group.consumer.session.timeout.ms=3000`,
 * `group.consumer.min.heartbeat.interval.ms=100`, `group.consumer.heartbeat.interval.ms=500` and
 * `group.consumer.assignment.interval.ms=0`.
 */
transcriptSuite({
  name: 'consumer group transcripts',
  scenarios: CONSUMER_SCENARIOS,
  file: new URL('./transcripts.json', import.meta.url),
  transport: () =>
    new HandlerTransport(
      { initialRebalanceDelayMs: 0, minSessionTimeoutMs: 100 },
      { sessionTimeoutMs: 3000, heartbeatIntervalMs: 500, assignmentIntervalMs: 0 },
    ),
});
