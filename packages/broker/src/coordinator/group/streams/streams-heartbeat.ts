import { ErrorCodes } from '@ottla/protocol';
import { CoordinatorError } from '../../runtime/coordinator-error.ts';
import { dismissGroup } from '../classic/dismiss-group.ts';
import { groupTombstone } from '../classic/group-metadata.ts';
import type { CommandContext } from '../command-context.ts';
import type { GroupOutcome } from '../group-types.ts';
import { GroupStep } from '../modern/group-step.ts';
import { isMetadataChecked, metadataHash, noteMetadataChecked } from '../modern/metadata-hash.ts';
import { endpointPartitions } from './endpoints.ts';
import { findMember, requireKnownTasks } from './find-member.ts';
import { assignmentConfigs, nextTarget, type MemberTarget } from './next-target.ts';
import { reconcile } from './reconcile.ts';
import { StreamsGroup } from './streams-group.ts';
import { shutdownChanges } from './streams-leave.ts';
import {
  JOINING_EPOCH,
  MemberState,
  sameCurrentAssignment,
  sameMetadata,
  type StreamsMember,
} from './streams-member.ts';
import { currentRecord, epochRecord, memberRecord, topologyRecord } from './streams-record-builders.ts';
import { initialDelayTimer, rebalanceTimer, sessionTimer } from './streams-timeouts.ts';
import type { StreamsHeartbeatCommand, StreamsHeartbeatReply } from './streams-types.ts';
import { containsTasks, fromTaskIds, sameAssignedTasks, toTaskIds, type Tasks } from './tasks.ts';
import { configureTopology, type ConfiguredTopology } from './topology/configured-topology.ts';
import { readTopology, sameTopology, type StreamsTopology } from './topology/streams-topology.ts';
import { StreamsStatus, unexpected, type Status } from './topology/topology-error.ts';

type Step = GroupStep<StreamsGroup>;

/**
 * StreamsGroupHeartbeat (KIP-1071) of a member that joins or is there: what it says of itself, and what there is of the topics,
 * moves the group epoch, that moves the target, and that the member, as far as each may move now.
 * @throws CoordinatorError with Kafka's error code and message
 */
export function streamsHeartbeat(command: StreamsHeartbeatCommand, context: CommandContext): GroupOutcome {
  const { groupId, memberId } = command;
  const step = stepFor(command, context);
  const { group } = step;
  const settings = context.config.streams(groupId);
  if (command.memberEpoch === JOINING_EPOCH) requireRoom(group, settings.maxSize);
  const before = findMember(group, command);
  const after = withNews(before, command);
  const hasNews = !sameMetadata(before, after);
  if (hasNews) step.append(memberRecord(groupId, after));
  const topology = topologyOf(step, command);
  const configured = configureTopology(topology, step.image.topics);
  if (configured.problem === null) requireKnownTasks(command, configured);
  const configs = assignmentConfigs(settings.numStandbyReplicas);
  const groupEpoch = nextGroupEpoch(step, { topology, configured, configs, hasNews });
  const isDelayed = startInitialDelay(step, settings.initialRebalanceDelayMs);
  const basis = { groupEpoch, topology: configured, configs, member: after };
  const target = nextTarget(step, basis, { isDelayed });
  const owned = ownedTasks(command);
  const member = reconcileMember(step, after, { target, owned });
  step.setMemberTimer('session', memberId, sessionTimer(groupId, memberId, settings.sessionTimeoutMs));
  for (const change of shutdownChanges(command)) step.change(change);
  const isChanged =
    command.memberEpoch === JOINING_EPOCH || !sameAssignedTasks(before.assigned, member.assigned);
  const reply: StreamsHeartbeatReply = {
    memberId,
    memberEpoch: member.memberEpoch,
    heartbeatIntervalMs: settings.heartbeatIntervalMs,
    status: statusOf(step, { command, member, configured, delay: target.delay }),
    tasks: isChanged || lacksTasks(owned, member) ? member.assigned : null,
    ...endpointsFor(step, { command, member, configured, isChanged }),
    missingTopics: configured.missingTopics,
  };
  step.reply(reply);
  return step.finish();
}

/** The group of a heartbeat: known, new, or in the place of a classic group without members. */
function stepFor(command: StreamsHeartbeatCommand, context: CommandContext): Step {
  const { groupId, memberEpoch } = command;
  const { state } = context;
  const existing = state.streams.get(groupId);
  if (existing !== undefined) return new GroupStep(existing, context);
  const kind = state.kindOf(groupId);
  const step = new GroupStep(new StreamsGroup(groupId), context);
  if (memberEpoch === JOINING_EPOCH) {
    if (kind === undefined) return step;
    const classic = state.classicGroup(groupId);
    if (classic?.state === 'Empty') {
      step.include(dismissGroup(classic, context.nowMs));
      step.append(groupTombstone(groupId));
      return step;
    }
  }
  throw new CoordinatorError(
    ErrorCodes.GROUP_ID_NOT_FOUND,
    kind === undefined ? `Streams group ${groupId} not found.` : `Group ${groupId} is not a streams group.`,
  );
}

/** As in Kafka, a full group refuses also its own members that join again. */
function requireRoom(group: StreamsGroup, maxSize: number): void {
  if (group.members.size < maxSize) return;
  throw new CoordinatorError(
    ErrorCodes.GROUP_MAX_SIZE_REACHED,
    `The streams group has reached its maximum capacity of ${maxSize} members.`,
  );
}

/** Most heartbeats say nothing but that the member is alive. */
function withNews(member: StreamsMember, command: StreamsHeartbeatCommand): StreamsMember {
  const { rebalanceTimeoutMs, clientTags, userEndpoint } = command;
  return {
    ...member,
    rackId: command.rackId ?? member.rackId,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : rebalanceTimeoutMs,
    topologyEpoch: command.topology?.epoch ?? member.topologyEpoch,
    clientId: command.clientId,
    clientHost: command.clientHost,
    processId: command.processId ?? member.processId,
    userEndpoint: userEndpoint ?? member.userEndpoint,
    clientTags:
      clientTags === null ? member.clientTags : new Map(clientTags.map(({ key, value }) => [key, value])),
  };
}

/** The group's topology; that of its first member becomes it. */
function topologyOf(step: Step, { topology: value }: StreamsHeartbeatCommand): StreamsTopology {
  const { topology: known } = step.group;
  if (value === null) {
    if (known === null) throw unexpected('Neither the group nor the member has a topology');
    return known;
  }
  const brought = readTopology(value);
  if (known === null) {
    step.append(topologyRecord(step.groupId, value));
    return brought;
  }
  // A member with an older topology is told so and gets tasks of the newer one.
  if (known.epoch > brought.epoch) return known;
  if (!sameTopology(known, brought)) {
    throw new CoordinatorError(ErrorCodes.INVALID_REQUEST, 'Topology updates are not supported yet.');
  }
  return known;
}

/** The group epoch, bumped when a member says something new, or when topics or configs have changed. */
function nextGroupEpoch(
  step: Step,
  next: {
    readonly topology: StreamsTopology;
    readonly configured: ConfiguredTopology;
    readonly configs: ReadonlyMap<string, string>;
    readonly hasNews: boolean;
  },
): number {
  const { group, image } = step;
  let hash = group.metadataHash;
  if (group.topology === null || !isMetadataChecked(group, image)) {
    hash = metadataHash(next.topology.requiredTopics, image);
    noteMetadataChecked(group, image, hash);
  }
  const validatedTopologyEpoch = next.configured.problem === null ? next.topology.epoch : -1;
  const mustBump =
    next.hasNews ||
    hash !== group.metadataHash ||
    validatedTopologyEpoch !== group.validatedTopologyEpoch ||
    !sameConfigs(next.configs, group.assignmentConfigs);
  if (!mustBump) return group.groupEpoch;
  const epoch = group.groupEpoch + 1;
  const assignment = { assignmentConfigs: next.configs };
  step.append(
    epochRecord(group.groupId, { epoch, metadataHash: hash, validatedTopologyEpoch, ...assignment }),
  );
  return epoch;
}

function sameConfigs(left: ReadonlyMap<string, string>, right: ReadonlyMap<string, string>): boolean {
  return left.size === right.size && [...left].every(([key, value]) => right.get(key) === value);
}

/** The first member of a group starts its waiting for others; whether it waits now. */
function startInitialDelay(step: Step, delayMs: number): boolean {
  const { group, groupId, context } = step;
  const { streams } = context.state;
  if (group.members.size > 0 || delayMs <= 0) return streams.isDelayed(groupId);
  step.change({ type: 'streams-initial-delay', groupId, isRunning: true });
  step.setTimer(initialDelayTimer(groupId, delayMs, { isNew: !streams.has(groupId) }));
  return true;
}

function ownedTasks({ activeTasks, standbyTasks, warmupTasks }: StreamsHeartbeatCommand): Tasks | null {
  if (activeTasks === null || standbyTasks === null || warmupTasks === null) return null;
  return {
    active: fromTaskIds(activeTasks),
    standby: fromTaskIds(standbyTasks),
    warmup: fromTaskIds(warmupTasks),
  };
}

/**
 * Whether a member that says what it has does not have all that it was given: the answer that gave it got lost. Kafka 4.3
 * does not tell it again, so that nobody works on such a task until the next rebalance.
 */
function lacksTasks(owned: Tasks | null, { assigned }: StreamsMember): boolean {
  if (owned === null) return false;
  return (
    !containsTasks(owned.active, toTaskIds(assigned.active)) ||
    !containsTasks(owned.standby, toTaskIds(assigned.standby)) ||
    !containsTasks(owned.warmup, toTaskIds(assigned.warmup))
  );
}

/** Brings a member closer to its target, and writes down where it stands then. */
function reconcileMember(
  step: Step,
  member: StreamsMember,
  { target, owned }: { readonly target: MemberTarget; readonly owned: Tasks | null },
): StreamsMember {
  const { group, groupId } = step;
  const reconciled = reconcile(member, {
    targetEpoch: target.epoch,
    target: target.tasks,
    isActive: (id, partition) => group.isActive(id, partition),
    isInProcess: (id, partition) => group.holds(member.processId, id, partition),
    owned,
  });
  if (sameCurrentAssignment(member, reconciled)) return member;
  step.append(currentRecord(groupId, reconciled));
  if (reconciled.state === MemberState.unrevokedTasks) {
    step.setMemberTimer('rebalance', member.memberId, rebalanceTimer(groupId, reconciled));
  } else {
    step.cancelMemberTimer('rebalance', member.memberId);
  }
  return reconciled;
}

/** What the member is to know of the state of its group. */
function statusOf(
  { group }: Step,
  now: {
    readonly command: StreamsHeartbeatCommand;
    readonly member: StreamsMember;
    readonly configured: ConfiguredTopology;
    readonly delay: Status | null;
  },
): Status[] {
  const { command, member, configured, delay } = now;
  const status: Status[] = [];
  if (group.topology !== null && member.topologyEpoch < group.topology.epoch) {
    status.push({
      statusCode: StreamsStatus.staleTopology,
      statusDetail: `The member's topology epoch ${member.topologyEpoch} is behind the group's topology epoch ${group.topology.epoch}.`,
    });
  }
  if (delay !== null) status.push(delay);
  if (configured.problem !== null) status.push(configured.problem);
  const requestedBy = group.shutdownRequestedBy ?? (command.shutdownApplication ? command.memberId : null);
  if (requestedBy !== null) {
    status.push({
      statusCode: StreamsStatus.shutdownApplication,
      statusDetail: `Streams group member ${requestedBy} encountered a fatal error and requested a shutdown for the entire application.`,
    });
  }
  return status;
}

/** Where others can be asked for their state; told when it is not as the member knows it. */
function endpointsFor(
  step: Step,
  now: {
    readonly command: StreamsHeartbeatCommand;
    readonly member: StreamsMember;
    readonly configured: ConfiguredTopology;
    readonly isChanged: boolean;
  },
): Pick<StreamsHeartbeatReply, 'endpointEpoch' | 'endpoints'> {
  const { group, groupId, image } = step;
  const { command, member, configured, isChanged } = now;
  let { endpointEpoch } = group;
  if (isChanged && member.userEndpoint !== null) {
    endpointEpoch++;
    step.change({ type: 'streams-endpoint-epoch', groupId, epoch: endpointEpoch });
  }
  const members = [...group.members.values()].filter(({ memberId }) => memberId !== member.memberId);
  const endpoints =
    endpointEpoch === command.endpointEpoch
      ? null
      : endpointPartitions([...members, member], configured, image.topics);
  // As in Kafka, a group that is made by this very heartbeat has no epoch yet.
  return { endpointEpoch: step.context.state.streams.has(groupId) ? endpointEpoch : 0, endpoints };
}
