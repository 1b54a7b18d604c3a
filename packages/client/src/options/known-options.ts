import { nearestName } from '@ottla/platform';
import { OptionError } from '../errors/client-errors.ts';

/** The names of the options `T`, for a program without types; the compiler sees to it that none is left out. */
export type OptionNames<T> = Readonly<Record<keyof T, true>>;

/** Names that other clients have for what is meant. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  brokers: 'bootstrap',
  bootstrapBrokers: 'bootstrap',
  bootstrapServers: 'bootstrap',
  ssl: 'tls',
  connectionTimeout: 'connectionSetupTimeoutMs',
  requestTimeout: 'requestTimeoutMs',
  groupId: 'group',
  fromBeginning: 'from',
  autoOffsetReset: 'from',
  autoCommit: 'commit',
  autoCommitInterval: 'autoCommitIntervalMs',
  sessionTimeout: 'sessionTimeoutMs',
  heartbeatInterval: 'heartbeatIntervalMs',
  partitionAssigners: 'assignors',
  idempotent: 'idempotence',
  createPartitioner: 'partitioner',
};

/**
 * Refuses an option that there is none of: mistyped, or named as another client has it, it would silently count for nothing, and a
 * program would talk to another cluster or commit nothing.
 * @throws OptionError with the name that may have been meant
 */
export function refuseUnknownOptions<T extends object>(of: string, options: T, names: OptionNames<T>): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || Object.hasOwn(names, name)) continue;
    const known = Object.keys(names);
    const elsewhere = ELSEWHERE[name];
    const meant = elsewhere !== undefined && known.includes(elsewhere) ? elsewhere : nearestName(name, known);
    const remedy = meant === null ? `there are ${known.join(', ')}` : `did you mean "${meant}"?`;
    throw new OptionError(`${of} has no option "${name}": ${remedy}`);
  }
}
