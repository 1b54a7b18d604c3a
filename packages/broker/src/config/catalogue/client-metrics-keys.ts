import type { ConfigKeys } from '../config-key.ts';
import { listOf } from '../config-key.ts';

/** Rewritten by `npm run import-configs`: only `honoured` and `doc` are edited by hand. */
export const clientMetricsKeys = {
  'interval.ms': {
    type: 'int',
    default: '300000',
    importance: 'medium',
    doc: 'How often the selected clients push their metrics',
  },
  match: {
    type: 'list',
    default: '',
    validator: listOf(),
    importance: 'medium',
    doc: 'Patterns that select clients, as key=regular expression; empty: all clients',
  },
  metrics: {
    type: 'list',
    default: '',
    validator: listOf(),
    importance: 'medium',
    doc: 'Prefixes of the metrics to push; `*` for all, empty for none',
  },
} as const satisfies ConfigKeys;
