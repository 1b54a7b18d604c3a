import type { Clock } from '@ottla/platform';
import type { MetadataDelta, MetadataImage, MetadataListener } from '../metadata/image.ts';
import type { SharePartitionKey } from '../coordinator/share/share-state-types.ts';
import type { ReplicaManager } from '../replica/replica-manager.ts';
import { SharePartition, type SharePersister } from './share-partition.ts';
import type { SharePartitionSettings } from './share-partition-types.ts';

export interface SharePartitionsDeps {
  readonly persister: SharePersister;
  readonly replicas: ReplicaManager;
  readonly clock: Clock;
  readonly settings: (groupId: string) => SharePartitionSettings;
}

/** The share partitions of this broker: made when a member fetches, dropped when their group empties or another leads. */
export class SharePartitions implements MetadataListener {
  readonly #deps: SharePartitionsDeps;
  /** By group id, then `topicId:partition`. */
  readonly #groups = new Map<string, Map<string, SharePartition>>();

  constructor(deps: SharePartitionsDeps) {
    this.#deps = deps;
  }

  /** The share partition if somebody fetched from it; a leader of another epoch counts as none. */
  get(key: SharePartitionKey): SharePartition | undefined {
    const found = this.#groups.get(key.groupId)?.get(nameOf(key));
    if (found === undefined || found.leaderEpoch === found.partition.leaderEpoch) return found;
    this.#drop(found);
    return undefined;
  }

  /** The share partition, made when there is none; or Kafka's error for the partition. */
  open(key: SharePartitionKey, topic: string): SharePartition | number {
    const partition = this.#deps.replicas.partition(topic, key.partition);
    if (typeof partition === 'number') return partition;
    const roleError = partition.checkRequest(-1, true);
    if (roleError !== 0) return roleError;
    const known = this.get(key);
    if (known !== undefined) return known;
    const { persister, clock, settings } = this.#deps;
    const made: SharePartition = new SharePartition(key, partition, {
      persister,
      clock,
      settings: () => settings(key.groupId),
      onFenced: () => this.#drop(made),
    });
    let group = this.#groups.get(key.groupId);
    if (group === undefined) {
      group = new Map();
      this.#groups.set(key.groupId, group);
    }
    group.set(nameOf(key), made);
    return made;
  }

  /** What applies to a group now. */
  settingsOf(groupId: string): SharePartitionSettings {
    return this.#deps.settings(groupId);
  }

  ofGroup(groupId: string): SharePartition[] {
    return [...(this.#groups.get(groupId)?.values() ?? [])];
  }

  /** A group without members holds no locks; its state may be altered behind our back, so it is read anew next time. */
  dropGroup(groupId: string): void {
    for (const partition of this.ofGroup(groupId)) this.#drop(partition);
  }

  /** Partitions that are deleted or led by another. */
  onMetadataChange(delta: MetadataDelta, image: MetadataImage): void {
    if (delta.deletedTopics.size === 0 && delta.changedTopicIds.size === 0) return;
    for (const groupId of this.#groups.keys()) {
      for (const share of this.ofGroup(groupId)) {
        const current = image.topics.byId.get(share.key.topicId)?.partitions[share.key.partition];
        if (current?.leaderEpoch !== share.leaderEpoch) this.#drop(share);
      }
    }
  }

  close(): void {
    for (const groupId of this.#groups.keys()) this.dropGroup(groupId);
  }

  #drop(share: SharePartition): void {
    share.close();
    const group = this.#groups.get(share.key.groupId);
    if (group?.get(nameOf(share.key)) === share) group.delete(nameOf(share.key));
    if (group?.size === 0) this.#groups.delete(share.key.groupId);
  }
}

function nameOf({ topicId, partition }: SharePartitionKey): string {
  return `${topicId}:${partition}`;
}
