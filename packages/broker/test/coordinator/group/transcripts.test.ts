import { HandlerTransport } from './handler-transport.ts';
import { SCENARIOS } from './scenarios.ts';
import { transcriptSuite } from './transcript-suite.ts';

/** Recorded with `group.initial.rebalance.delay.ms=0` and `group.min.session.timeout.ms=100`. */
transcriptSuite({
  name: 'group transcripts',
  scenarios: SCENARIOS,
  file: new URL('./transcripts.json', import.meta.url),
  transport: () => new HandlerTransport({ initialRebalanceDelayMs: 0, minSessionTimeoutMs: 100 }),
});
