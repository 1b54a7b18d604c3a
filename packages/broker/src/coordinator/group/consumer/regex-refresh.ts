import { outcome } from '../../runtime/state-machine.ts';
import type { CommandContext } from '../command-context.ts';
import type { GroupOutcome } from '../group-types.ts';
import { metadataHash } from '../modern/metadata-hash.ts';
import { addTo, type ConsumerGroup } from './consumer-group.ts';
import type { ConsumerMember } from './consumer-member.ts';
import { groupEpochRecord, regexRecord } from './consumer-record-builders.ts';
import { ConsumerStep } from './consumer-step.ts';
import { matchTopics, requireValidRegex } from './topic-regex.ts';

/** All regular expressions of a group are resolved together, and not again before this time has passed. */
const MIN_REFRESH_INTERVAL_MS = 10_000;

/** What became of a member's regular expression. */
export interface RegexChange {
  readonly hasChanged: boolean;
  /** The topics of the new one are known, or it has none any more: the group can count with them at once. */
  readonly isResolved: boolean;
}

/**
 * Follows the change of a member's regular expression, and has the expressions of the group resolved when that is due: one
 * is new, topics were created, or the refresh interval is over. They are resolved by a command of their own, so that no
 * heartbeat pays for it.
 * @throws CoordinatorError INVALID_REGULAR_EXPRESSION
 */
export function followRegex(step: ConsumerStep, before: ConsumerMember, after: ConsumerMember): RegexChange {
  const { group } = step;
  const [oldRegex, newRegex] = [before.subscribedTopicRegex, after.subscribedTopicRegex];
  const hasChanged = oldRegex !== newRegex;
  let isResolved = false;
  let isNew = false;
  if (hasChanged) {
    if (oldRegex !== '' && group.regexes.get(oldRegex) === 1) {
      step.append(regexRecord(group.groupId, oldRegex, null));
    }
    if (newRegex === '') {
      isResolved = true;
    } else if ((group.regexes.get(newRegex) ?? 0) === 0) {
      requireValidRegex(newRegex);
      isNew = true;
    } else {
      isResolved = group.resolvedRegexes.has(newRegex);
    }
  }
  if ((isNew || group.regexes.size > 0) && isRefreshDue(step, before, after)) {
    const { groupId } = group;
    step.setTimer({ key: `regex/${groupId}`, delayMs: 0, command: { type: 'resolve-regexes', groupId } });
  }
  return { hasChanged, isResolved };
}

function isRefreshDue(step: ConsumerStep, before: ConsumerMember, after: ConsumerMember): boolean {
  const { group, context } = step;
  const [last] = group.resolvedRegexes.values();
  if (last !== undefined && context.nowMs <= last.timestampMs + MIN_REFRESH_INTERVAL_MS) return false;
  const regexes = new Map(group.regexes);
  if (before.subscribedTopicRegex !== '') addTo(regexes, before.subscribedTopicRegex, -1);
  if (after.subscribedTopicRegex !== '') addTo(regexes, after.subscribedTopicRegex, 1);
  if (regexes.size === 0) return false;
  return (
    last === undefined ||
    regexes.size !== group.resolvedRegexes.size ||
    last.version < context.newTopicsVersion() ||
    context.nowMs > last.timestampMs + context.config.consumer.regexRefreshIntervalMs
  );
}

/** Resolves the regular expressions of a group; its epoch is bumped when they match other topics than before. */
export function resolveRegexes(groupId: string, context: CommandContext): GroupOutcome {
  const group = context.state.consumer.get(groupId);
  if (group === undefined || group.regexes.size === 0) return outcome({});
  const step = new ConsumerStep(group, context);
  const { image } = step;
  const counts = group.subscriptions.copy();
  let hasChanged = false;
  for (const [regex, topics] of matchTopics(group.regexes.keys(), image.topics.byName.keys())) {
    const old = group.resolvedRegexes.get(regex)?.topics ?? NO_TOPICS;
    if (!sameTopics(old, topics)) {
      hasChanged = true;
      counts.addRegex(old, -1);
      counts.addRegex(topics, 1);
    }
    step.append(regexRecord(groupId, regex, { topics, version: image.offset, timestampMs: context.nowMs }));
  }
  const hash = metadataHash(counts.names(), image);
  if (hasChanged || hash !== group.metadataHash) {
    step.append(groupEpochRecord(groupId, group.groupEpoch + 1, hash));
  }
  return step.finish();
}

const NO_TOPICS: ReadonlySet<string> = new Set();

function sameTopics(left: ReadonlySet<string>, right: ReadonlySet<string>): boolean {
  if (left.size !== right.size) return false;
  for (const topic of left) if (!right.has(topic)) return false;
  return true;
}

/** Regular expressions that nobody subscribes to once these members are gone. */
export function orphanedRegexes(group: ConsumerGroup, leaving: Iterable<ConsumerMember>): string[] {
  const leavers = new Map<string, number>();
  for (const { subscribedTopicRegex } of leaving) {
    if (subscribedTopicRegex !== '') addTo(leavers, subscribedTopicRegex, 1);
  }
  return Array.from(leavers)
    .filter(([regex, count]) => group.regexes.get(regex) === count)
    .map(([regex]) => regex);
}
