import { type OptionNames, unknownOption } from '@ottla/platform';
import { OptionError } from '../errors/client-errors.ts';

export type { OptionNames };

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
  const problem = unknownOption(of, options, names, ELSEWHERE);
  if (problem !== null) throw new OptionError(problem);
}
