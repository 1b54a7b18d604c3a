import type { ShareGroupService } from '../coordinator/group/share/share-group-service.ts';
import type { ShareCoordinator } from '../coordinator/share/share-coordinator.ts';
import type { MetadataStore } from '../metadata/image.ts';
import type { RateQuota } from '../quota/rate-quota.ts';
import type { ShareService } from '../share/share-service.ts';
import { alterShareGroupOffsetsHandler } from './alter-share-group-offsets.ts';
import { deleteShareGroupOffsetsHandler } from './delete-share-group-offsets.ts';
import { deleteShareGroupStateHandler } from './delete-share-group-state.ts';
import { describeShareGroupOffsetsHandler } from './describe-share-group-offsets.ts';
import type { AnyApiHandler } from './handler.ts';
import { initializeShareGroupStateHandler } from './initialize-share-group-state.ts';
import { readShareGroupStateSummaryHandler } from './read-share-group-state-summary.ts';
import { readShareGroupStateHandler } from './read-share-group-state.ts';
import { shareAcknowledgeHandler } from './share-acknowledge.ts';
import { shareFetchHandler } from './share-fetch.ts';
import { shareGroupDescribeHandler } from './share-group-describe.ts';
import { shareGroupHeartbeatHandler } from './share-group-heartbeat.ts';
import { writeShareGroupStateHandler } from './write-share-group-state.ts';

/** What serves share groups. */
export interface ShareParts {
  readonly groups: ShareGroupService;
  readonly states: ShareCoordinator;
  readonly service: ShareService;
}

/** Share groups (KIP-932): their members, what they read, and where that is kept. */
export function shareHandlers(
  { groups, states, service }: ShareParts,
  deps: {
    readonly metadata: MetadataStore;
    readonly fetchMaxBytes: () => number;
    readonly quota: RateQuota;
    readonly ensureStateTopic: () => Promise<number>;
  },
): AnyApiHandler[] {
  const { metadata, fetchMaxBytes, quota, ensureStateTopic } = deps;
  return [
    shareGroupHeartbeatHandler({ shareGroups: groups, metadata, ensureStateTopic }),
    shareGroupDescribeHandler({ shareGroups: groups, metadata }),
    shareFetchHandler({ shares: service, metadata, fetchMaxBytes, quota }),
    shareAcknowledgeHandler({ shares: service, metadata }),
    initializeShareGroupStateHandler({ states }),
    readShareGroupStateHandler({ states }),
    writeShareGroupStateHandler({ states }),
    deleteShareGroupStateHandler({ states }),
    readShareGroupStateSummaryHandler({ states }),
    describeShareGroupOffsetsHandler({ shareGroups: groups, metadata }),
    alterShareGroupOffsetsHandler({ shareGroups: groups, metadata }),
    deleteShareGroupOffsetsHandler({ shareGroups: groups, metadata }),
  ];
}
