import { startBroker, type Broker, type BrokerInterventions } from '@ottla/broker';
import {
  MemoryDisk,
  type OptionNames,
  temporaryFolder,
  type Logger,
  type TemporaryFolder,
} from '@ottla/platform';
import { encodeBatch, errorMessage, errorName } from '@ottla/protocol';
import { Faults } from './faults.ts';
import { TestClock } from './test-clock.ts';
import { refuseUnknown } from './refuse-unknown.ts';
import { partitioned, storedRecords, type SeedRecord, type StoredRecord } from './test-records.ts';

/** How many partitions a topic has, or that with its configs. */
export type TopicSeed =
  | number
  | { readonly partitions?: number; readonly configs?: Readonly<Record<string, string>> };

export interface TestBrokerOptions {
  /** Topics to create. */
  readonly topics?: Readonly<Record<string, TopicSeed>>;
  /** Records to store, by topic; topics that are not named in `topics` get one partition. */
  readonly records?: Readonly<Record<string, readonly SeedRecord[]>>;
  /** Keeps the data on disk: `true` in a temporary folder that is removed at the end, a path in that folder, which stays. Default: in memory. */
  readonly directory?: true | string;
  /** Most bytes of data in memory; more is refused as a full disk is. Default: 1 GiB. */
  readonly capacityBytes?: number;
  /** Kafka's broker properties, over those that suit a test. */
  readonly properties?: Readonly<Record<string, string | number | boolean>>;
  /** Default: silent. */
  readonly logger?: Logger;
}

const BROKER_OPTIONS: OptionNames<TestBrokerOptions> = {
  topics: true,
  records: true,
  directory: true,
  capacityBytes: true,
  properties: true,
  logger: true,
};
const TOPIC_OPTIONS: OptionNames<Exclude<TopicSeed, number>> = { partitions: true, configs: true };

export interface ExpiredMember {
  readonly group: string;
  readonly memberId: string;
}

interface Parts {
  readonly clock: TestClock;
  readonly faults: Faults;
  /** To be removed at the end. */
  readonly folder: TemporaryFolder | null;
  readonly directory: string | null;
}

/** What suits a test: one partition for internal topics, no wait for more members of a group that is just beginning. */
const TEST_PROPERTIES: Readonly<Record<string, string>> = {
  listeners: 'PLAINTEXT://127.0.0.1:0',
  'offsets.topic.num.partitions': '1',
  'transaction.state.log.num.partitions': '1',
  'group.initial.rebalance.delay.ms': '0',
};

/** Where the data lies inside a disk in memory. */
const MEMORY_FOLDER = '/ottla';

/** A running broker, with what a test wants to do to it. Close it at the end: `await using`, or `close()`. */
export class TestBroker implements AsyncDisposable {
  /** Pushes the broker's time forward. */
  readonly clock: TestClock;
  /** Lets requests fail, wait, or lose their connection. */
  readonly faults: Faults;
  readonly #broker: Broker;
  readonly #folder: TemporaryFolder | null;
  readonly #directory: string | null;
  #closing: Promise<void> | null = null;

  private constructor(broker: Broker, parts: Parts) {
    this.#broker = broker;
    this.clock = parts.clock;
    this.faults = parts.faults;
    this.#folder = parts.folder;
    this.#directory = parts.directory;
  }

  /** Use `startBroker`. */
  static async start(options: TestBrokerOptions): Promise<TestBroker> {
    refuseUnknown('A test broker', options, BROKER_OPTIONS);
    const clock = new TestClock();
    const faults = new Faults(clock);
    const folder = options.directory === true ? temporaryFolder('ottla-testkit-') : null;
    const directory = folder?.path ?? (typeof options.directory === 'string' ? options.directory : null);
    const parts: Parts = { clock, faults, folder, directory };
    let test: TestBroker | null = null;
    try {
      const broker = await launch(options, parts);
      test = new TestBroker(broker, parts);
      await test.#seed(options);
      return test;
    } catch (error) {
      await test?.close();
      folder?.removeSync();
      throw error;
    }
  }

  /** `host:port` for clients. */
  get bootstrap(): string {
    return this.#broker.bootstrap;
  }

  /** The same as a list, as kafkajs takes it. */
  get brokers(): string[] {
    return [this.bootstrap];
  }

  /** Where the data lies on disk; null in memory. */
  get directory(): string | null {
    return this.#directory;
  }

  /**
   * Creates a topic. Rejects with Kafka's error (TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_CONFIG, ...), or with a
   * TypeError for an option that topics do not have.
   */
  async createTopic(name: string, topic: TopicSeed = 1): Promise<void> {
    const seed = typeof topic === 'number' ? { partitions: topic } : topic;
    refuseUnknown(`Topic "${name}"`, seed, TOPIC_OPTIONS);
    const { partitions = 1, configs = {} } = seed;
    const result = await this.#data.createTopic({
      name,
      numPartitions: partitions,
      configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
    });
    throwIfRefused(result, `Topic "${name}" cannot be created`);
  }

  /**
   * Stores records in a topic that exists, durably and visible when this resolves; without a client, and untouched by faults.
   * Rejects with Kafka's error, with a RangeError for a partition that does not exist, or with a TypeError for a field that
   * records do not have.
   */
  async produce(topic: string, records: SeedRecord | readonly SeedRecord[]): Promise<void> {
    const list = Array.isArray(records) ? (records as readonly SeedRecord[]) : [records as SeedRecord];
    const seeds = partitioned(list, { partitions: this.#partitionsOf(topic), nowMs: this.clock.nowMs() });
    for (const [partition, inputs] of seeds) {
      const result = await this.#data.append({ topic, partition }, encodeBatch({ records: inputs }));
      throwIfRefused(result, `Records of "${topic}-${partition}" are refused`);
    }
  }

  /** All records of a topic, partition by partition; those of open and aborted transactions too, as for `read_uncommitted`. */
  async records(topic: string): Promise<StoredRecord[]> {
    const found: StoredRecord[] = [];
    for (let partition = 0; partition < this.#partitionsOf(topic); partition++) {
      await this.#data.scan({ topic, partition }, (buffer, batch) => {
        found.push(...storedRecords(buffer, batch, partition));
      });
    }
    return found;
  }

  /**
   * Moves the lead of a partition: there is no leader, then there is one with a new epoch. Clients that know the old one are told
   * (NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH). `meanwhile` runs while nobody leads.
   */
  async moveLeader(
    topic: string,
    partition: number,
    meanwhile: () => void | Promise<void> = () => {},
  ): Promise<void> {
    const target = { topic, partition };
    const what = `The leader of "${topic}-${partition}" cannot be moved`;
    throwIfRefused(await this.#data.changeLeader(target, -1), what);
    try {
      await meanwhile();
    } finally {
      throwIfRefused(await this.#data.changeLeader(target, this.#broker.config.nodeId), what);
    }
  }

  /** Removes a member from its group as if its session had ended. Rejects when there is no such member. */
  expireMember({ group, memberId }: ExpiredMember): Promise<void> {
    return this.#data.expireMember(group, memberId);
  }

  /** Cuts every connection, as a broken network does; clients may connect again at once. Returns how many there were. */
  dropConnections(): number {
    return this.#data.dropConnections();
  }

  /** Stops the broker; what was in memory or in a temporary folder is gone. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.faults.clear();
    try {
      await this.#broker.close();
    } finally {
      this.#folder?.removeSync();
    }
  }

  get #data(): BrokerInterventions {
    return this.#broker.interventions;
  }

  #partitionsOf(topic: string): number {
    const found = this.#data.topics().find(({ name }) => name === topic);
    if (found === undefined)
      throw new Error(`Topic "${topic}" does not exist: name it in \`topics\`, or call createTopic first`);
    return found.partitions;
  }

  async #seed({ topics = {}, records = {} }: TestBrokerOptions): Promise<void> {
    const wanted = { ...Object.fromEntries(Object.keys(records).map((name) => [name, 1])), ...topics };
    // Together, so that all of them share one write of the metadata log.
    await Promise.all(Object.entries(wanted).map(([name, topic]) => this.createTopic(name, topic)));
    await Promise.all(Object.entries(records).map(([topic, seeds]) => this.produce(topic, seeds)));
  }
}

function launch(options: TestBrokerOptions, { clock, faults, directory }: Parts): Promise<Broker> {
  const { capacityBytes } = options;
  const disk = new MemoryDisk({ clock, ...(capacityBytes !== undefined && { capacityBytes }) });
  const given = Object.entries(options.properties ?? {}).map(
    ([name, value]) => [name, String(value)] as const,
  );
  return startBroker({
    properties: {
      ...TEST_PROPERTIES,
      'log.dirs': directory ?? MEMORY_FOLDER,
      ...Object.fromEntries(given),
    },
    clock,
    intercept: (request) => faults.intercept(request),
    ...(directory === null && { disk }),
    ...(options.logger !== undefined && { logger: options.logger }),
  });
}

function throwIfRefused(
  result: { readonly errorCode: number; readonly errorMessage: string | null },
  what: string,
): void {
  const { errorCode } = result;
  if (errorCode === 0) return;
  throw new Error(`${what}: ${errorName(errorCode)}, ${result.errorMessage ?? errorMessage(errorCode)}`);
}
