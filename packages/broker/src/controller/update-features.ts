import { ErrorCodes } from '@ottla/protocol';
import { ConfigResourceType } from '../metadata/image.ts';
import type { MetadataImage } from '../metadata/image.ts';
import { metadataRecord } from '../metadata/records.ts';
import type { MetadataRecord } from '../metadata/records.ts';
import { OK, type CommandResult, type CommandState } from './command.ts';
import type { FeatureUpdate, ItemResult, UpdateFeaturesCommand } from './controller.ts';
import { lowersWhatRecordsHold, REQUIRED_METADATA_VERSIONS, SUPPORTED_FEATURES } from './features.ts';

/** Kafka's FeatureUpdate.UpgradeType. */
const UpgradeType = { upgrade: 1, safeDowngrade: 2, unsafeDowngrade: 3 } as const;

const knownTypes: ReadonlySet<number> = new Set(Object.values(UpgradeType));

const ELR = 'eligible.leader.replicas.version';
const MIN_ISR = 'min.insync.replicas';

/** The command with what stands outside of the metadata image. */
interface Update extends UpdateFeaturesCommand {
  readonly nodeId: number;
  /** Level of `kraft.version` now. */
  readonly kraftVersion: number;
}

export interface UpdateFeaturesReply {
  readonly result: ItemResult;
  /** `kraft.version` goes from 0 to 1: the voters have to be written into the log. */
  readonly upgradesQuorum: boolean;
}

/**
 * UpdateFeatures (KIP-584, KIP-778): sets the levels of features, all of them or none. A level is written even where it stays
 * as it is, as Kafka does.
 */
export function updateFeatures(state: CommandState, update: Update): CommandResult<UpdateFeaturesReply> {
  const records: MetadataRecord[] = [];
  // Named twice, the last one counts.
  const updates = new Map(update.updates.map((each) => [each.feature, each]));
  let upgradesQuorum = false;
  for (const each of updates.values()) {
    const current = currentLevel(state.image, update, each.feature);
    const problem = refusal(state.image, update, { ...each, current });
    if (problem !== null) {
      const errorMessage = `The update failed for all features since the following feature had an error: ${problem}`;
      const result = { errorCode: ErrorCodes.INVALID_UPDATE_VERSION, errorMessage };
      return { records: [], reply: { result, upgradesQuorum: false } };
    }
    if (each.feature === 'kraft.version') {
      upgradesQuorum ||= each.level > current;
      continue;
    }
    if (each.feature === ELR && each.level > 0 && current === 0) records.push(...pinMinInSyncReplicas(state));
    const { feature: name, level: featureLevel } = each;
    records.push(metadataRecord('FeatureLevelRecord', { name, featureLevel }));
  }
  if (update.validateOnly) return { records: [], reply: { result: OK, upgradesQuorum: false } };
  return { records, reply: { result: OK, upgradesQuorum } };
}

function currentLevel(image: MetadataImage, { kraftVersion }: Update, feature: string): number {
  return feature === 'kraft.version' ? kraftVersion : (image.features.get(feature) ?? 0);
}

/** Why a level cannot be set, in Kafka's words; null when it can. */
function refusal(
  image: MetadataImage,
  update: Update,
  asked: FeatureUpdate & { readonly current: number },
): string | null {
  const { feature, level, upgradeType, current } = asked;
  const invalid = (reason: string): string =>
    `Invalid update version ${level} for feature ${feature}. ${reason}`;
  if (!knownTypes.has(upgradeType)) {
    return invalid('The controller does not support the given upgrade type.');
  }
  if (level < 0) return invalid('A feature version cannot be less than 0.');
  const unsupported = unsupportedBy(image, update.nodeId, asked);
  if (unsupported !== null) return invalid(unsupported);
  if (level < current && upgradeType === UpgradeType.upgrade) {
    return invalid(
      "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade.",
    );
  }
  if (level > current && upgradeType !== UpgradeType.upgrade) {
    return invalid("Can't downgrade to a newer version.");
  }
  if (feature === 'metadata.version') return metadataVersionRefusal(asked);
  if (feature === 'kraft.version') {
    return level < current ? invalid("Can't downgrade the version of this feature.") : null;
  }
  if (!SUPPORTED_FEATURES.some(([name]) => name === feature)) {
    return invalid(`Feature ${feature} not found.`);
  }
  const required = level === 0 ? undefined : REQUIRED_METADATA_VERSIONS.get(feature);
  const planned = update.updates.findLast((each) => each.feature === 'metadata.version')?.level;
  if (required === undefined || (planned ?? image.features.get('metadata.version') ?? 0) >= required) {
    return null;
  }
  return invalid(
    `${feature} could not be set to ${level} because it depends on metadata.version level ${required}`,
  );
}

/** Who does not know the level: this node, or another broker that is registered. */
function unsupportedBy(
  image: MetadataImage,
  nodeId: number,
  { feature, level }: FeatureUpdate,
): string | null {
  const ranges: [who: string, range: readonly [number, number] | undefined][] = [
    [`Local controller ${nodeId}`, rangeOf(feature)],
  ];
  for (const broker of image.brokers.values()) {
    ranges.push([`Broker ${broker.id}`, broker.supportedFeatures?.get(feature)]);
  }
  for (const [who, range] of ranges) {
    if (range === undefined) {
      if (level !== 0) return `${who} does not support this feature.`;
    } else if (level < range[0] || level > range[1]) {
      return `${who} only supports versions ${range[0]}-${range[1]}`;
    }
  }
  return null;
}

function rangeOf(feature: string): readonly [number, number] | undefined {
  const supported = SUPPORTED_FEATURES.find(([name]) => name === feature);
  return supported === undefined ? undefined : [supported[1], supported[2]];
}

/** A lower metadata.version is only possible where both levels write the same records. */
function metadataVersionRefusal(asked: FeatureUpdate & { readonly current: number }): string | null {
  const { level, current, upgradeType } = asked;
  if (level >= current || !lowersWhatRecordsHold(current, level)) return null;
  const reason =
    upgradeType === UpgradeType.unsafeDowngrade
      ? 'Unsafe metadata downgrade is not supported in this version.'
      : 'Refusing to perform the requested downgrade because it might delete metadata information.';
  return `Unsupported metadata.version downgrade from ${current} to ${level}. ${reason}`;
}

/**
 * Eligible leader replicas (KIP-966) need one `min.insync.replicas` for all brokers: the cluster-wide one is pinned, those of
 * single brokers go.
 */
function pinMinInSyncReplicas({ image, rules }: CommandState): MetadataRecord[] {
  const records: MetadataRecord[] = [];
  const resourceType = ConfigResourceType.broker;
  if (!image.configs.get(resourceType, '').has(MIN_ISR)) {
    const value = String(rules.minInSyncReplicas);
    records.push(metadataRecord('ConfigRecord', { resourceType, resourceName: '', name: MIN_ISR, value }));
  }
  for (const [type, resourceName] of image.configs.resources()) {
    if (type !== resourceType || resourceName === '') continue;
    if (!image.configs.get(type, resourceName).has(MIN_ISR)) continue;
    records.push(metadataRecord('ConfigRecord', { resourceType, resourceName, name: MIN_ISR, value: null }));
  }
  return records;
}
