import { ConfigError } from './config-error.ts';

/** A dynamic key of brokers that no properties file may set, and DescribeConfigs does not list unless it is set, as in Kafka. */
const RATE_KEY = 'replica.alter.log.dirs.io.max.bytes.per.second';

/** Most bytes per second that all moves between log directories may copy; infinite unless set. */
export function moveBytesPerSecond(layers: {
  readonly clusterWide: ReadonlyMap<string, string>;
  readonly ofBroker: ReadonlyMap<string, string>;
}): number {
  const text = layers.ofBroker.get(RATE_KEY) ?? layers.clusterWide.get(RATE_KEY);
  return text === undefined ? Infinity : Number(text);
}

/** @throws ConfigError when the rate is set to something that is none */
export function checkMoveRate(configs: ReadonlyMap<string, string>): void {
  const text = configs.get(RATE_KEY);
  if (text === undefined || /^\d+$/.test(text.trim())) return;
  throw new ConfigError(
    text.trim() === '' || !Number.isInteger(Number(text))
      ? `Invalid value ${text} for configuration ${RATE_KEY}: Not a number of type LONG`
      : `Invalid value ${text} for configuration ${RATE_KEY}: Value must be at least 0`,
  );
}
