import type { ConfigKeys } from '../config-key.ts';
import { listOf } from '../config-key.ts';

/** Rewritten by `npm run import-configs`: only `honoured` and `doc` are edited by hand. */
export const clientMetricsKeys = {
  'interval.ms': {
    type: 'int',
    default: '300000',
    importance: 'medium',
    doc: '',
  },
  match: {
    type: 'list',
    default: '',
    validator: listOf(),
    importance: 'medium',
    doc: '',
  },
  metrics: {
    type: 'list',
    default: '',
    validator: listOf(),
    importance: 'medium',
    doc: '',
  },
} as const satisfies ConfigKeys;
