import type { Cluster } from '../cluster/cluster.ts';
import { AdminRequests } from './admin-requests.ts';
import { ClusterAdmin } from './cluster-admin.ts';
import { ConfigsAdmin } from './configs-admin.ts';
import { GroupsAdmin } from './groups-admin.ts';
import { OffsetsAdmin } from './offsets-admin.ts';
import { ReplicasAdmin } from './replicas-admin.ts';
import { LogDirsAdmin } from './log-dirs-admin.ts';
import { TransactionsAdmin } from './transactions-admin.ts';
import { AclsAdmin } from './acls-admin.ts';
import { UsersAdmin } from './users-admin.ts';
import { QuotasAdmin } from './quotas-admin.ts';
import { TokensAdmin } from './tokens-admin.ts';
import { FeaturesAdmin } from './features-admin.ts';
import { QuorumAdmin } from './quorum-admin.ts';
import { ShareGroupsAdmin } from './share-groups-admin.ts';
import { StreamsGroupsAdmin } from './streams-groups-admin.ts';
import { TopicsAdmin } from './topics-admin.ts';

/**
 * Everything that Kafka's Admin can do, grouped by what it is about. Calls about one thing return it or throw; calls about several return
 * an outcome for each. Errors that pass by themselves are retried until `timeoutMs` (default: the client's `defaultApiTimeoutMs`).
 */
export class Admin implements AsyncDisposable {
  /** Creates, describes, grows and deletes topics. */
  readonly topics: TopicsAdmin;
  /** Offsets of partitions by end or time; deletes records. */
  readonly offsets: OffsetsAdmin;
  /** Classic and consumer groups, their offsets and lag. */
  readonly groups: GroupsAdmin;
  /** Configs of topics, brokers, groups and client metrics. */
  readonly configs: ConfigsAdmin;
  /** The nodes. */
  readonly cluster: ClusterAdmin;
  /** Elections of leaders, reassignments. */
  readonly replicas: ReplicasAdmin;
  /** Directories of brokers, and what lies in them. */
  readonly logDirs: LogDirsAdmin;
  /** Transactions and the producers behind them. */
  readonly transactions: TransactionsAdmin;
  /** Access control lists. */
  readonly acls: AclsAdmin;
  /** Users with SCRAM credentials. */
  readonly users: UsersAdmin;
  /** Client quotas. */
  readonly quotas: QuotasAdmin;
  /** Delegation tokens. */
  readonly tokens: TokensAdmin;
  /** Feature levels. */
  readonly features: FeaturesAdmin;
  /** The controllers. */
  readonly quorum: QuorumAdmin;
  /** Share groups (KIP-932). */
  readonly shareGroups: ShareGroupsAdmin;
  /** Streams groups (KIP-1071). */
  readonly streamsGroups: StreamsGroupsAdmin;
  readonly #requests: AdminRequests;
  readonly #onClosed: () => void;

  /** Use `ottla.admin()`. */
  constructor(cluster: Cluster, onClosed: () => void = () => {}) {
    const requests = new AdminRequests(cluster);
    this.#requests = requests;
    this.#onClosed = onClosed;
    this.topics = new TopicsAdmin(requests);
    this.offsets = new OffsetsAdmin(requests);
    this.groups = new GroupsAdmin(requests, this.offsets);
    this.configs = new ConfigsAdmin(requests);
    this.cluster = new ClusterAdmin(requests);
    this.replicas = new ReplicasAdmin(requests);
    this.logDirs = new LogDirsAdmin(requests);
    this.transactions = new TransactionsAdmin(requests);
    this.acls = new AclsAdmin(requests);
    this.users = new UsersAdmin(requests);
    this.quotas = new QuotasAdmin(requests);
    this.tokens = new TokensAdmin(requests);
    this.features = new FeaturesAdmin(requests);
    this.quorum = new QuorumAdmin(requests);
    this.shareGroups = new ShareGroupsAdmin(requests);
    this.streamsGroups = new StreamsGroupsAdmin(requests);
  }

  /** Ends this admin; the handle's connections stay. Calls that wait go on. Idempotent. */
  async close(): Promise<void> {
    this.#requests.close();
    this.#onClosed();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
