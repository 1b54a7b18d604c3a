import {
  DEFAULT_STREAMS_GROUP_SETTINGS,
  type StreamsGroupSettings,
} from '../../../../src/coordinator/group/streams/streams-group-config.ts';
import { HandlerTransport } from '../handler-transport.ts';
import { transcriptSuite } from '../transcript-suite.ts';
import { STANDBY_SCENARIOS, STREAMS_SCENARIOS } from './scenarios.ts';

/**
 * Recorded with `group.min.session.timeout.ms=100`, `group.streams.min.session.timeout.ms=1000`,
 * `group.streams.session.timeout.ms=3000`, `group.streams.min.heartbeat.interval.ms=100`,
 * `group.streams.heartbeat.interval.ms=500`, `group.streams.assignment.interval.ms=0`,
 * `group.streams.initial.rebalance.delay.ms=0` and the configs of consumer groups as for their transcripts. Beside topic `t1`
 * there has to be `t2` with two partitions.
 */
const SETTINGS: StreamsGroupSettings = {
  ...DEFAULT_STREAMS_GROUP_SETTINGS,
  sessionTimeoutMs: 3000,
  heartbeatIntervalMs: 500,
  assignmentIntervalMs: 0,
  initialRebalanceDelayMs: 0,
};
const CONSUMER_TIMINGS = { sessionTimeoutMs: 3000, heartbeatIntervalMs: 500, assignmentIntervalMs: 0 };

function transport(settings: StreamsGroupSettings): HandlerTransport {
  const config = { initialRebalanceDelayMs: 0, minSessionTimeoutMs: 100, streams: () => settings };
  return new HandlerTransport(config, CONSUMER_TIMINGS);
}

transcriptSuite({
  name: 'streams group transcripts',
  scenarios: STREAMS_SCENARIOS,
  file: new URL('./transcripts.json', import.meta.url),
  transport: () => transport(SETTINGS),
});

/**
 * With `group.streams.initial.rebalance.delay.ms=700`, `group.streams.num.standby.replicas=1` and
 * `group.streams.max.size=3` on top.
 */
transcriptSuite({
  name: 'streams groups with standbys and an initial delay',
  scenarios: STANDBY_SCENARIOS,
  file: new URL('./standby-transcripts.json', import.meta.url),
  transport: () =>
    transport({ ...SETTINGS, initialRebalanceDelayMs: 700, numStandbyReplicas: 1, maxSize: 3 }),
});
