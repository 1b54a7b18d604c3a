import type { CallLimits } from '../cluster/limits.ts';
import type { KafkaError } from '../errors/kafka-error.ts';
import type { AdminRequests } from './admin-requests.ts';
import type { PerItem } from './per-item.ts';

interface DescribeEach {
  /** For errors: `Describing share groups`. */
  readonly what: string;
  readonly groupIds: string | readonly string[];
  readonly options: CallLimits & { readonly includeAuthorizedOperations?: boolean };
}

/** Asks the coordinator of each group to describe it: what APIs of groups of one type have in common. */
export function describeEach<T>(
  requests: AdminRequests,
  { what, groupIds, options }: DescribeEach,
  send: (
    body: { groupIds: readonly string[]; includeAuthorizedOperations: boolean },
    nodeId: number,
    attempt: Parameters<AdminRequests['send']>[2],
  ) => Promise<readonly (readonly [string, T | KafkaError])[]>,
): Promise<PerItem<T>> {
  return requests.toCoordinators<T>(
    'group',
    typeof groupIds === 'string' ? [groupIds] : groupIds,
    { ...options, what },
    (nodeId, group, attempt) => {
      const includeAuthorizedOperations = options.includeAuthorizedOperations ?? false;
      return send({ groupIds: group, includeAuthorizedOperations }, nodeId, attempt);
    },
  );
}
