import type { BrokerConfig } from '../config/broker-config.ts';
import type { RateSampling } from './rate-window.ts';

/** How the rates of clients are measured: what they send and get, their time and their connections. */
export function quotaSampling(config: BrokerConfig): RateSampling {
  return {
    samples: config.get('quota.window.num'),
    sampleMs: config.get('quota.window.size.seconds') * 1000,
  };
}

/** How the rate of their changes to the metadata is measured. */
export function mutationQuotaSampling(config: BrokerConfig): RateSampling {
  return {
    samples: config.get('controller.quota.window.num'),
    sampleMs: config.get('controller.quota.window.size.seconds') * 1000,
  };
}
