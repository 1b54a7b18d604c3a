import type { GroupStep } from '../modern/group-step.ts';
import { mayComputeNextTarget } from '../modern/target-assignment.ts';
import { assignSticky } from './assignor/sticky-assignor.ts';
import type { StreamsGroup } from './streams-group.ts';
import type { StreamsMember } from './streams-member.ts';
import { targetEpochRecord, targetRecord } from './streams-record-builders.ts';
import { NO_TASKS, sameTasks, type Tasks } from './tasks.ts';
import type { ConfiguredTopology } from './topology/configured-topology.ts';
import { StreamsStatus, type Status } from './topology/topology-error.ts';

/** The config that the assignor goes by; the group keeps it with its epoch to notice when it changes. */
const NUM_STANDBY_REPLICAS = 'num.standby.replicas';

/** The configs that an assignment rests on, as the group's epoch keeps them. */
export function assignmentConfigs(numStandbyReplicas: number): ReadonlyMap<string, string> {
  return new Map([[NUM_STANDBY_REPLICAS, `${numStandbyReplicas}`]]);
}

/** What the next target is computed of. */
export interface TargetBasis {
  readonly groupEpoch: number;
  readonly topology: ConfiguredTopology;
  readonly configs: ReadonlyMap<string, string>;
  /** The member in question, as it will be; null when nobody asks. */
  readonly member: StreamsMember | null;
}

/** The target of one member. */
export interface MemberTarget {
  readonly epoch: number;
  readonly tasks: Tasks;
  /** Why there is no newer one; null when this is the newest. */
  readonly delay: Status | null;
}

/**
 * Computes the target assignment for a group epoch that has none yet, unless the group still waits for its first members or
 * the last one is too young; returns the target of the member in question, as it is or will be.
 */
export function nextTarget(
  step: GroupStep<StreamsGroup>,
  basis: TargetBasis,
  { isDelayed }: { readonly isDelayed: boolean },
): MemberTarget {
  const { group, context } = step;
  const { memberId } = basis.member ?? { memberId: '' };
  if (isDelayed)
    return { epoch: group.targetEpoch, tasks: NO_TASKS, delay: delayed('initial rebalance delay') };
  const last = { epoch: group.targetEpoch, tasks: group.targetOf(memberId), delay: null };
  if (group.targetEpoch >= basis.groupEpoch) return last;
  const { assignmentIntervalMs } = context.config.streams(group.groupId);
  const mayCompute = mayComputeNextTarget(
    { timestampMs: group.targetTimestampMs },
    assignmentIntervalMs,
    context.nowMs,
  );
  if (!mayCompute) return { ...last, delay: delayed('assignment interval') };
  const targets = computeTargets(group, basis);
  for (const [id, tasks] of targets) {
    const before = group.targets.get(id);
    if (before === undefined || !sameTasks(before, tasks))
      step.append(targetRecord(group.groupId, id, tasks));
  }
  step.append(targetEpochRecord(group.groupId, basis.groupEpoch, context.nowMs));
  return { epoch: basis.groupEpoch, tasks: targets.get(memberId) ?? NO_TASKS, delay: null };
}

function delayed(by: string): Status {
  const statusDetail = `Assignment delayed due to the configured ${by}.`;
  return { statusCode: StreamsStatus.assignmentDelayed, statusDetail };
}

/** Until all topics are there nobody gets anything. */
function computeTargets(group: StreamsGroup, basis: TargetBasis): Map<string, Tasks> {
  const members = new Map(group.members);
  if (basis.member !== null) members.set(basis.member.memberId, basis.member);
  const { subtopologies, problem } = basis.topology;
  if (subtopologies === null || problem !== null) {
    return new Map(Array.from(members.keys(), (memberId) => [memberId, NO_TASKS]));
  }
  return assignSticky({
    members: new Map(
      Array.from(members, ([memberId, { processId }]) => [
        memberId,
        { processId, tasks: group.targetOf(memberId) },
      ]),
    ),
    subtopologies: new Map(
      Array.from(subtopologies, ([id, { taskCount, stateChangelogTopics }]) => [
        id,
        { taskCount, isStateful: stateChangelogTopics.size > 0 },
      ]),
    ),
    numStandbyReplicas: Number(basis.configs.get(NUM_STANDBY_REPLICAS) ?? 0),
  });
}
