import { changeQuotas } from './client-quotas-image.ts';
import { changeCredentials } from './scram-image.ts';
import type { EntityQuotas } from './client-quotas-image.ts';
import type { ScramCredential } from './scram-image.ts';
import { configResourceKey, MapConfigsImage } from './configs-image.ts';
import { ConfigResourceType } from './image.ts';
import type { BrokerImage, MetadataDelta, MetadataImage, TopicImage } from './image.ts';
import { keptChange } from './kept-records.ts';
import { MetadataRecordError } from './records.ts';
import type { MetadataRecord, MetadataRecordData } from './records.ts';
import { draftOf, mergePartitionChange, partitionFromRecord } from './topic-draft.ts';
import type { TopicDraft } from './topic-draft.ts';

/** The image before the first record. */
export function emptyImage(clusterId: string, controllerId: number): MetadataImage {
  return {
    offset: -1,
    clusterId,
    controllerId,
    brokers: new Map(),
    topics: { byName: new Map(), byId: new Map() },
    configs: new MapConfigsImage(new Map()),
    nextProducerId: 0,
    features: new Map(),
    scramCredentials: new Map(),
    clientQuotas: new Map(),
    keptRecords: new Map(),
  };
}

/**
 * Applies metadata records to an image, copying only what they touch. This is the one `replay` of the controller:
 * start-up and live operation go through it, so both arrive at the same image from the same records.
 *
 * Records between BeginTransaction and EndTransaction (KIP-868) take effect together at the end, or not at all.
 */
export class MetadataImageBuilder {
  readonly #base: MetadataImage;
  readonly #topics = new Map<string, TopicDraft>();
  readonly #newIdByName = new Map<string, string>();
  readonly #deletedTopics = new Map<string, TopicImage>();
  readonly #configs = new Map<string, Map<string, string>>();
  readonly #deletedConfigs = new Set<string>();
  #brokers: Map<number, BrokerImage> | null = null;
  #features: Map<string, number> | null = null;
  #scramCredentials: Map<string, ReadonlyMap<number, ScramCredential>> | null = null;
  #clientQuotas: Map<string, EntityQuotas> | null = null;
  #kept: Map<string, MetadataRecord> | null = null;
  #nextProducerId: number;
  #offset: number;
  #transaction: MetadataRecord[] | null;

  /** `pending` is what an earlier builder left of a transaction that has not ended yet. */
  constructor(base: MetadataImage, pending: MetadataRecord[] | null = null) {
    this.#base = base;
    this.#nextProducerId = base.nextProducerId;
    this.#offset = base.offset;
    this.#transaction = pending;
  }

  /** The records of a transaction that has begun and not ended, or null outside of one. */
  get pendingTransaction(): MetadataRecord[] | null {
    return this.#transaction;
  }

  /** Applies the record at `offset`. Throws {@link MetadataRecordError} when it contradicts the image. */
  apply(record: MetadataRecord, offset: number): void {
    this.#offset = offset;
    switch (record.type) {
      case 'BeginTransactionRecord':
        if (this.#transaction !== null)
          throw new MetadataRecordError(`Metadata transaction begins inside another at offset ${offset}`);
        this.#transaction = [];
        return;
      case 'EndTransactionRecord': {
        const records = this.#requireTransaction(offset);
        this.#transaction = null;
        for (const inner of records) this.#applyNow(inner);
        return;
      }
      case 'AbortTransactionRecord':
        this.#requireTransaction(offset);
        this.#transaction = null;
        return;
      default:
        if (this.#transaction !== null) this.#transaction.push(record);
        else this.#applyNow(record);
    }
  }

  /** Moves the image's offset over a batch without metadata records (a control batch). */
  advance(offset: number): void {
    this.#offset = offset;
  }

  #requireTransaction(offset: number): MetadataRecord[] {
    if (this.#transaction === null)
      throw new MetadataRecordError(`Metadata transaction ends at offset ${offset}, but none has begun`);
    return this.#transaction;
  }

  #applyNow(record: MetadataRecord): void {
    switch (record.type) {
      case 'TopicRecord':
        return this.#createTopic(record.data);
      case 'PartitionRecord': {
        const topic = this.#topic(record.data.topicId, record.type);
        topic.partitions[record.data.partitionId] = partitionFromRecord(record.data);
        return;
      }
      case 'PartitionChangeRecord':
        return this.#changePartition(record.data);
      case 'RemoveTopicRecord':
        return this.#removeTopic(record.data.topicId);
      case 'ClearElrRecord':
        return this.#clearElr(record.data.topicName);
      case 'ConfigRecord':
        return this.#setConfig(record.data);
      case 'ProducerIdsRecord':
        this.#nextProducerId = record.data.nextProducerId;
        return;
      case 'FeatureLevelRecord':
        this.#features ??= new Map(this.#base.features);
        if (record.data.featureLevel === 0) this.#features.delete(record.data.name);
        else this.#features.set(record.data.name, record.data.featureLevel);
        return;
      case 'UserScramCredentialRecord':
      case 'RemoveUserScramCredentialRecord':
        this.#scramCredentials ??= new Map(this.#base.scramCredentials);
        changeCredentials(this.#scramCredentials, record);
        return;
      case 'ClientQuotaRecord':
        this.#clientQuotas ??= new Map(this.#base.clientQuotas);
        changeQuotas(this.#clientQuotas, record.data);
        return;
      case 'RegisterBrokerRecord':
      case 'UnregisterBrokerRecord':
      case 'BrokerRegistrationChangeRecord':
      case 'FenceBrokerRecord':
      case 'UnfenceBrokerRecord':
        return this.#applyBroker(record);
      default: {
        const change = keptChange(record);
        if (change === null) return;
        this.#kept ??= new Map(this.#base.keptRecords);
        if (change.remove) this.#kept.delete(change.identity);
        else this.#kept.set(change.identity, record);
      }
    }
  }

  #topic(id: string, by: string): TopicDraft {
    const draft = this.#topics.get(id);
    if (draft !== undefined) return draft;
    const topic = this.#deletedTopics.has(id) ? undefined : this.#base.topics.byId.get(id);
    if (topic === undefined)
      throw new MetadataRecordError(`${by} names topic id '${id}', which does not exist`);
    const copy = draftOf(topic);
    this.#topics.set(id, copy);
    return copy;
  }

  #createTopic(data: MetadataRecordData<'TopicRecord'>): void {
    this.#topics.set(data.topicId, { name: data.name, id: data.topicId, partitions: [] });
    this.#newIdByName.set(data.name, data.topicId);
  }

  #changePartition(data: MetadataRecordData<'PartitionChangeRecord'>): void {
    const topic = this.#topic(data.topicId, 'PartitionChangeRecord');
    const partition = topic.partitions[data.partitionId];
    if (partition === undefined) {
      throw new MetadataRecordError(
        `PartitionChangeRecord names '${topic.name}-${data.partitionId}', which does not exist`,
      );
    }
    topic.partitions[data.partitionId] = mergePartitionChange(partition, data);
  }

  #removeTopic(id: string): void {
    const draft = this.#topic(id, 'RemoveTopicRecord');
    this.#topics.delete(id);
    if (this.#newIdByName.get(draft.name) === id) this.#newIdByName.delete(draft.name);
    this.#deletedTopics.set(id, this.#base.topics.byId.get(id) ?? draft);
    // A topic takes its configs with it; a topic of the same name starts without any.
    const key = configResourceKey(ConfigResourceType.topic, draft.name);
    this.#configs.set(key, new Map());
    this.#deletedConfigs.add(key);
  }

  #clearElr(topicName: string): void {
    const ids = topicName === '' ? [...this.#base.topics.byId.keys()] : [this.#idOf(topicName)];
    for (const id of ids) {
      const topic = this.#topic(id, 'ClearElrRecord');
      for (const [index, partition] of topic.partitions.entries()) {
        if (partition.elr.length === 0 && partition.lastKnownElr.length === 0) continue;
        topic.partitions[index] = {
          ...partition,
          elr: [],
          lastKnownElr: [],
          partitionEpoch: partition.partitionEpoch + 1,
        };
      }
    }
  }

  #idOf(name: string): string {
    const id = this.#newIdByName.get(name) ?? this.#base.topics.byName.get(name)?.id;
    if (id === undefined)
      throw new MetadataRecordError(`ClearElrRecord names topic '${name}', which does not exist`);
    return id;
  }

  #setConfig(data: MetadataRecordData<'ConfigRecord'>): void {
    const key = configResourceKey(data.resourceType, data.resourceName);
    let values = this.#configs.get(key);
    if (values === undefined) {
      values = new Map(this.#base.configs.get(data.resourceType, data.resourceName));
      this.#configs.set(key, values);
    }
    this.#deletedConfigs.delete(key);
    if (data.value === null) values.delete(data.name);
    else values.set(data.name, data.value);
  }

  #applyBroker(record: MetadataRecord): void {
    this.#brokers ??= new Map(this.#base.brokers);
    const brokers = this.#brokers;
    const change = (id: number, fields: Partial<BrokerImage>): void => {
      const broker = brokers.get(id);
      if (broker === undefined)
        throw new MetadataRecordError(`${record.type} names broker '${id}', which is not registered`);
      brokers.set(id, { ...broker, ...fields });
    };
    switch (record.type) {
      case 'RegisterBrokerRecord':
        brokers.set(record.data.brokerId, brokerFromRecord(record.data));
        return;
      case 'UnregisterBrokerRecord':
        brokers.delete(record.data.brokerId);
        return;
      case 'FenceBrokerRecord':
        return change(record.data.id, { fenced: true });
      case 'UnfenceBrokerRecord':
        return change(record.data.id, { fenced: false });
      case 'BrokerRegistrationChangeRecord': {
        const { brokerId, fenced, inControlledShutdown, logDirs, cordonedLogDirs } = record.data;
        return change(brokerId, {
          ...(fenced !== 0 && { fenced: fenced > 0 }),
          ...(inControlledShutdown !== 0 && { inControlledShutdown: inControlledShutdown > 0 }),
          ...(logDirs.length > 0 && { logDirs }),
          ...(cordonedLogDirs !== null && { cordonedLogDirs }),
        });
      }
      default:
    }
  }

  /** The new image and what it changed against the base. The builder must not be used afterwards. */
  build(): { readonly image: MetadataImage; readonly delta: MetadataDelta } {
    const base = this.#base;
    const image: MetadataImage = {
      offset: this.#offset,
      clusterId: base.clusterId,
      controllerId: base.controllerId,
      brokers: this.#brokers ?? base.brokers,
      topics: this.#buildTopics(),
      configs: this.#configs.size === 0 ? base.configs : this.#buildConfigs(),
      nextProducerId: this.#nextProducerId,
      features: this.#features ?? base.features,
      scramCredentials: this.#scramCredentials ?? base.scramCredentials,
      clientQuotas: this.#clientQuotas ?? base.clientQuotas,
      keptRecords: this.#kept ?? base.keptRecords ?? new Map(),
    };
    const changedConfigs = new Set<string>();
    for (const key of this.#configs.keys()) if (!this.#deletedConfigs.has(key)) changedConfigs.add(key);
    const delta: MetadataDelta = {
      previous: base,
      changedTopicIds: new Set(this.#topics.keys()),
      deletedTopics: this.#deletedTopics,
      changedConfigs,
    };
    return { image, delta };
  }

  #buildTopics(): MetadataImage['topics'] {
    const { topics } = this.#base;
    if (this.#topics.size === 0 && this.#deletedTopics.size === 0) return topics;
    const byName = new Map(topics.byName);
    const byId = new Map(topics.byId);
    for (const [id, topic] of this.#deletedTopics) {
      byId.delete(id);
      if (byName.get(topic.name)?.id === id) byName.delete(topic.name);
    }
    for (const [id, topic] of this.#topics) {
      byId.set(id, topic);
      byName.set(topic.name, topic);
    }
    return { byName, byId };
  }

  #buildConfigs(): MapConfigsImage {
    const { configs } = this.#base;
    if (configs instanceof MapConfigsImage) return configs.with(this.#configs);
    throw new TypeError('The configs of an image under construction must be a MapConfigsImage');
  }
}

function brokerFromRecord(data: MetadataRecordData<'RegisterBrokerRecord'>): BrokerImage {
  return {
    id: data.brokerId,
    epoch: data.brokerEpoch,
    incarnationId: data.incarnationId,
    rack: data.rack,
    fenced: data.fenced,
    inControlledShutdown: data.inControlledShutdown,
    endpoints: data.endPoints.map((endpoint) => ({
      listenerName: endpoint.name,
      host: endpoint.host,
      port: endpoint.port,
      securityProtocol: endpoint.securityProtocol,
    })),
    logDirs: data.logDirs,
    cordonedLogDirs: data.cordonedLogDirs,
    supportedFeatures: new Map(
      data.features.map((feature) => [
        feature.name,
        [feature.minSupportedVersion, feature.maxSupportedVersion],
      ]),
    ),
  };
}
