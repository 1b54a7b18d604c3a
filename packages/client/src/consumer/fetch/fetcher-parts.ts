import type { Cluster } from '../../cluster/cluster.ts';
import type { FetchCounters } from '../../metrics/fetch-counters.ts';
import type { ResolvedConsumerOptions } from '../consumer-options.ts';
import type { PartitionState } from '../partition-state.ts';

/** What fetching needs of the consumer it belongs to. */
export interface FetcherParts {
  readonly cluster: Cluster;
  readonly options: ResolvedConsumerOptions;
  readonly lane: string;
  readonly counters: FetchCounters;
  readonly states: () => Iterable<PartitionState>;
  /** Records have arrived. */
  readonly onRecords: (states: readonly PartitionState[]) => void;
  /** A partition has got an error, or needs a position. */
  readonly onTrouble: (state: PartitionState) => void;
}
