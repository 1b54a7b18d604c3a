import type { MetadataImage } from '../../../metadata/image.ts';
import { metadataHash, noteMetadataChecked } from '../modern/metadata-hash.ts';
import type { SubscriptionType } from '../modern/subscription-counts.ts';
import { addTo, subscriptionType, type ResolvedRegex } from './consumer-group.ts';
import type { ConsumerMember } from './consumer-member.ts';
import { groupEpochRecord, partitionMetadataTombstone } from './consumer-record-builders.ts';
import type { ConsumerStep } from './consumer-step.ts';

/** Ids of the topics that a member subscribes to, by name or by a resolved regular expression; those that exist. */
export function subscribedTopicIds(
  member: ConsumerMember,
  resolved: ReadonlyMap<string, ResolvedRegex>,
  image: MetadataImage,
): Set<string> {
  const ids = new Set<string>();
  const add = (name: string): void => {
    const topic = image.topics.byName.get(name);
    if (topic !== undefined) ids.add(topic.id);
  };
  for (const name of member.subscribedTopicNames) add(name);
  for (const name of resolved.get(member.subscribedTopicRegex)?.topics ?? []) add(name);
  return ids;
}

/** The group epoch, and the kind of subscriptions, with a member as it will be. */
export interface NextEpoch {
  readonly groupEpoch: number;
  readonly subscriptionType: SubscriptionType;
}

/**
 * Compares the topics of the group, with a member as it will be, to what they were; the group epoch is bumped when they
 * differ, or when `mustBump` says so.
 */
export function nextGroupEpoch(
  step: ConsumerStep,
  { before, after, mustBump }: { before: ConsumerMember; after: ConsumerMember; mustBump: boolean },
): NextEpoch {
  const { group, image } = step;
  const counts = group.subscriptions.copy();
  counts.addNames(before.subscribedTopicNames, -1);
  counts.addNames(after.subscribedTopicNames, 1);
  const oldRegex = before.subscribedTopicRegex;
  if (oldRegex !== '' && oldRegex !== after.subscribedTopicRegex && group.regexes.get(oldRegex) === 1) {
    counts.addRegex(group.resolvedRegexes.get(oldRegex)?.topics ?? [], -1);
  }
  const hash = metadataHash(counts.names(), image);
  let { groupEpoch } = group;
  if (mustBump || hash !== group.metadataHash) {
    groupEpoch++;
    step.append(groupEpochRecord(group.groupId, groupEpoch, hash));
  }
  noteMetadataChecked(group, image, hash);
  if (group.hasPartitionMetadata) step.append(partitionMetadataTombstone(group.groupId));
  const isKnown =
    group.members.has(after.memberId) ||
    (after.instanceId !== null && group.staticMembers.has(after.instanceId));
  const regexes = new Map(group.regexes);
  if (before.subscribedTopicRegex !== '') addTo(regexes, before.subscribedTopicRegex, -1);
  if (after.subscribedTopicRegex !== '') addTo(regexes, after.subscribedTopicRegex, 1);
  const members = group.members.size + Number(!isKnown);
  return { groupEpoch, subscriptionType: subscriptionType(regexes, counts, members) };
}
