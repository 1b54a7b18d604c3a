import type { Assignor } from '../../modern/assignor.ts';
import { assignHeterogeneous } from './uniform-heterogeneous.ts';
import { assignHomogeneous } from './uniform-homogeneous.ts';

/**
 * Kafka's `uniform`, the default: partitions are spread evenly over the members, and as many as possible stay where they
 * are. Racks play no part in it (Kafka took rack awareness out of the server-side assignors).
 */
export const uniformAssignor: Assignor = {
  name: 'uniform',

  assign(group) {
    if (group.members.size === 0) return new Map();
    return group.subscriptionType === 'homogeneous' ? assignHomogeneous(group) : assignHeterogeneous(group);
  },
};
