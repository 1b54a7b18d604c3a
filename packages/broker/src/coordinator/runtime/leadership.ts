import type { MetadataDelta, MetadataImage, MetadataListener, TopicImage } from '../../metadata/image.ts';
import type { CoordinatorRuntime } from './coordinator-runtime.ts';
import type { CoordinatorTypes, StateMachine } from './state-machine.ts';

/** Whose leadership is followed, and who is told of it. */
export interface LeadershipOptions<T extends CoordinatorTypes, M extends StateMachine<T>> {
  /** The internal topic whose partitions the coordinator serves where this broker leads them. */
  readonly topic: string;
  readonly nodeId: number;
  readonly runtime: CoordinatorRuntime<T, M>;
  /** Called for each partition led here, after its shard has begun to load; also for those that were led here before. */
  readonly onLed?: (partition: number) => void;
}

/** Keeps the shards of a coordinator to the partitions of its topic that this broker leads, as the metadata has them. */
export class Leadership<T extends CoordinatorTypes, M extends StateMachine<T>> implements MetadataListener {
  readonly #options: LeadershipOptions<T, M>;

  constructor(options: LeadershipOptions<T, M>) {
    this.#options = options;
  }

  /** Takes up what the image gives to this broker. */
  start(image: MetadataImage): void {
    const topic = image.topics.byName.get(this.#options.topic);
    if (topic !== undefined) this.#follow(topic);
  }

  onMetadataChange(delta: MetadataDelta, image: MetadataImage): void {
    const { topic: name, runtime } = this.#options;
    for (const topic of delta.deletedTopics.values()) {
      if (topic.name !== name) continue;
      for (const partition of runtime.partitions()) runtime.resigned(partition);
    }
    for (const topicId of delta.changedTopicIds) {
      const topic = image.topics.byId.get(topicId);
      if (topic?.name === name) this.#follow(topic);
    }
  }

  #follow(topic: TopicImage): void {
    const { nodeId, runtime, onLed } = this.#options;
    for (const { partition, leader, leaderEpoch } of topic.partitions) {
      if (leader !== nodeId) runtime.resigned(partition);
      else {
        runtime.elected(partition, leaderEpoch);
        onLed?.(partition);
      }
    }
  }
}
