import type { SeededRandom } from '@ottla/platform';
import { ApiKeys, encodeBatch, ErrorCodes } from '@ottla/protocol';
import { historyOf, stateProblems } from './transaction-history.ts';
import { CONNECTION, turns } from '../simulated-replicas.ts';
import { DATA_TOPIC, TransactionWorld } from './transaction-world.ts';
import { TRANSACTION_STATE_TOPIC } from '../../../src/controller/topic-names.ts';

const TIMEOUT_MS = 400;

/** A transaction as its producer sees it. */
interface Txn {
  readonly name: string;
  readonly partitions: Set<number>;
  readonly acknowledged: string[];
  attempts: number;
  /** The offset that it has committed, if any. */
  offset: number | null;
  /** A record or an offset may or may not be there: it can only be aborted. */
  isTainted: boolean;
  fate: 'open' | 'committed' | 'aborted' | 'unknown';
}

interface Client {
  readonly index: number;
  readonly transactionalId: string;
  /** Whether it runs transactions of version 2. */
  readonly isModern: boolean;
  identity: { producerId: number; producerEpoch: number } | null;
  sequences: number[];
  txn: Txn | null;
  /** The end that it has asked for and not been told of. */
  ending: boolean | null;
  isBusy: boolean;
}

type Answer = Record<string, unknown> | null;

/** Answers after which the same request makes sense once more. */
const RETRIABLE: ReadonlySet<number> = new Set([
  ErrorCodes.CONCURRENT_TRANSACTIONS,
  ErrorCodes.COORDINATOR_NOT_AVAILABLE,
  ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCodes.NOT_COORDINATOR,
]);

/**
 * Producers of both transaction versions, two of them with the same transactional id, over coordinators whose writes fail
 * and a broker that dies at any moment. After each step the logs are read again; once everything has healed, each
 * transaction has to be whole or absent.
 */
export class TransactionSimulation {
  lastAction = 'start';
  /** How many transactions ended as their producers know. */
  readonly counts = { committed: 0, aborted: 0, unknown: 0 };
  readonly #random: SeededRandom;
  readonly #world: TransactionWorld;
  readonly #clients: Client[];
  readonly #txns: { readonly client: Client; readonly txn: Txn }[] = [];
  /** Ids of producers that run transactions of version 1. */
  readonly #version1 = new Set<number>();
  /** Answers that no broker should have given. */
  readonly #surprises: string[] = [];
  #nextOffset = 1;
  #incarnation = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#world = new TransactionWorld(random);
    this.#clients = Array.from({ length: 5 }, (_, index) => ({
      index,
      // The first two are fencing each other.
      transactionalId: `id-${Math.max(1, index)}`,
      isModern: index !== 3,
      identity: null,
      sequences: [0, 0],
      txn: null,
      ending: null,
      isBusy: false,
    }));
  }

  start(): Promise<void> {
    return this.#world.start();
  }

  /** Does one thing that a producer, the clock or the power supply might do. */
  async step(): Promise<void> {
    const dice = this.#random.nextInt(100);
    if (dice < 80) this.#clientAction();
    else if (dice < 97) this.#advance(1 + this.#random.nextInt(150));
    else await this.#restart();
    await turns(this.#random.nextInt(12));
  }

  /** From here on nothing fails and producers are gone: time passes until all transactions are decided. */
  async heal(): Promise<void> {
    this.#world.appends.failurePercent = 0;
    for (let i = 0; i < 60; i++) {
      this.#advance(100);
      await turns(6);
    }
  }

  /** What the logs must not say, at any time. */
  async violations(): Promise<string[]> {
    const { replicas } = this.#world.incarnation;
    const problems = [...this.#surprises];
    for (const partition of [0, 1]) {
      problems.push(
        ...(await historyOf(replicas, DATA_TOPIC, { partition, version1: this.#version1 })).problems,
      );
      problems.push(...(await stateProblems(replicas, TRANSACTION_STATE_TOPIC, partition)));
    }
    return problems;
  }

  /** What must not be after healing. */
  async finalViolations(): Promise<string[]> {
    const { replicas } = this.#world.incarnation;
    const version1 = this.#version1;
    const histories = [
      await historyOf(replicas, DATA_TOPIC, { partition: 0, version1 }),
      await historyOf(replicas, DATA_TOPIC, { partition: 1, version1 }),
    ];
    const committed = histories.flatMap((history) => history.committed);
    const visible = new Set(committed);
    const problems = histories.flatMap((history) => history.open.map((value) => `${value} is still open`));
    if (visible.size !== committed.length) problems.push('A record is there twice');
    for (const partition of [0, 1]) {
      const log = replicas.partition(DATA_TOPIC, partition);
      if (typeof log !== 'number' && log.log!.lastStableOffset !== log.highWatermark)
        problems.push(`The last stable offset of ${partition} lags behind`);
    }
    for (const { txn } of this.#txns) {
      const seen = txn.acknowledged.filter((value) => visible.has(value)).length;
      const isWhole = seen === txn.acknowledged.length;
      const isAbsent = seen === 0;
      const isRight =
        txn.fate === 'committed' ? isWhole : txn.fate === 'aborted' ? isAbsent : isWhole || isAbsent;
      if (!isRight)
        problems.push(`${txn.name} (${txn.fate}): ${seen} of ${txn.acknowledged.length} are visible`);
      this.counts[txn.fate === 'open' ? 'unknown' : txn.fate]++;
    }
    for (const client of this.#clients) problems.push(...(await this.#offsetProblems(client, visible)));
    return problems;
  }

  async #offsetProblems({ index }: Client, visible: ReadonlySet<string>): Promise<string[]> {
    const query = { groupId: `group-${index}`, memberId: null, memberEpoch: -1, topics: null };
    const fetched = await this.#world.incarnation.groups.fetchOffsets(query, false);
    const found = fetched[0]?.partitions[0]?.committedOffset ?? -1;
    const own = this.#txns.filter(({ client, txn }) => client.index === index && txn.offset !== null);
    const newest = Math.max(
      -1,
      ...own.filter(({ txn }) => txn.fate === 'committed').map(({ txn }) => txn.offset!),
    );
    const problems: string[] = [];
    if (found < newest) problems.push(`group-${index} is at ${found}, but ${newest} was committed`);
    const source = own.find(({ txn }) => txn.offset === found)?.txn;
    if (source?.fate === 'aborted') problems.push(`group-${index} is at ${found}, which was aborted`);
    if (source?.acknowledged.some((value) => !visible.has(value)) === true)
      problems.push(`group-${index} is at ${found}, whose records are not there`);
    return problems;
  }

  #clientAction(): void {
    const client = this.#clients[this.#random.nextInt(this.#clients.length)]!;
    if (client.isBusy) return;
    client.isBusy = true;
    const incarnation = this.#incarnation;
    void this.#act(client).finally(() => {
      if (incarnation === this.#incarnation) client.isBusy = false;
    });
  }

  async #act(client: Client): Promise<void> {
    if (client.identity === null) return this.#init(client);
    if (client.ending !== null) return this.#end(client, client.ending);
    client.txn ??= this.#begin(client);
    const { txn } = client;
    const dice = this.#random.nextInt(100);
    if (txn.isTainted) return this.#end(client, false);
    if (dice < 55) return this.#produce(client, txn);
    if (dice < 65) return this.#commitOffset(client, txn);
    if (dice < 67) return this.#init(client);
    return this.#end(client, dice < 90);
  }

  #begin(client: Client): Txn {
    const name = `${client.transactionalId}/${client.index}/${this.#txns.length}`;
    const txn: Txn = {
      name,
      partitions: new Set(),
      acknowledged: [],
      attempts: 0,
      offset: null,
      isTainted: false,
      fate: 'open',
    };
    this.#txns.push({ client, txn });
    return txn;
  }

  async #init(client: Client): Promise<void> {
    // Some go on with what they were (KIP-360), others start anew.
    const expected = this.#random.chance(0.3) ? client.identity : null;
    const answer = await this.#call(client, ApiKeys.InitProducerId, 5, {
      transactionalId: client.transactionalId,
      transactionTimeoutMs: TIMEOUT_MS,
      producerId: expected?.producerId ?? -1,
      producerEpoch: expected?.producerEpoch ?? -1,
    });
    if (answer === null) return;
    if (client.txn?.fate === 'open') client.txn.fate = 'unknown';
    client.txn = null;
    client.ending = null;
    client.sequences = [0, 0];
    client.identity =
      answer['errorCode'] === ErrorCodes.NONE
        ? { producerId: answer['producerId'] as number, producerEpoch: answer['producerEpoch'] as number }
        : null;
    if (!client.isModern && client.identity !== null) this.#version1.add(client.identity.producerId);
  }

  async #produce(client: Client, txn: Txn): Promise<void> {
    const { producerId, producerEpoch } = client.identity!;
    const partition = this.#random.nextInt(2);
    if (!client.isModern && !txn.partitions.has(partition)) return this.#addPartition(client, txn, partition);
    const value = `${txn.name}/${txn.attempts++}`;
    const records = encodeBatch({
      records: [{ key: null, value: Buffer.from(value), timestamp: this.#world.incarnation.clock.nowMs() }],
      producerId,
      producerEpoch,
      baseSequence: client.sequences[partition]!,
      isTransactional: true,
    });
    const answer = await this.#call(client, ApiKeys.Produce, client.isModern ? 12 : 11, {
      transactionalId: client.transactionalId,
      acks: -1,
      timeoutMs: 1000,
      topicData: [{ name: DATA_TOPIC, topicId: '', partitionData: [{ index: partition, records }] }],
    });
    const errorCode = answer === null ? ErrorCodes.REQUEST_TIMED_OUT : firstPartitionError(answer);
    if (errorCode === ErrorCodes.NONE) {
      txn.acknowledged.push(value);
      client.sequences[partition]!++;
    } else txn.isTainted = true;
    // The request adds its partition itself, so that it cannot have been forgotten.
    if (client.isModern && errorCode === ErrorCodes.INVALID_TXN_STATE)
      this.#surprises.push(`${value} is refused with INVALID_TXN_STATE`);
  }

  async #addPartition(client: Client, txn: Txn, partition: number): Promise<void> {
    const answer = await this.#call(client, ApiKeys.AddPartitionsToTxn, 3, {
      transactions: [],
      v3AndBelowTransactionalId: client.transactionalId,
      v3AndBelowProducerId: client.identity!.producerId,
      v3AndBelowProducerEpoch: client.identity!.producerEpoch,
      v3AndBelowTopics: [{ name: DATA_TOPIC, partitions: [partition] }],
    });
    const topics = answer?.['resultsByTopicV3AndBelow'] as
      | { resultsByPartition: { partitionErrorCode: number }[] }[]
      | undefined;
    const errorCode = topics?.[0]?.resultsByPartition[0]?.partitionErrorCode;
    if (errorCode === ErrorCodes.NONE) txn.partitions.add(partition);
    else if (errorCode !== undefined && !RETRIABLE.has(errorCode)) txn.isTainted = true;
  }

  async #commitOffset(client: Client, txn: Txn): Promise<void> {
    const groupId = `group-${client.index}`;
    const producer = { transactionalId: client.transactionalId, ...client.identity!, groupId };
    if (!client.isModern) {
      const added = await this.#call(client, ApiKeys.AddOffsetsToTxn, 3, producer);
      if (added?.['errorCode'] !== ErrorCodes.NONE) return;
    }
    const offset = this.#nextOffset++;
    const partition = {
      partitionIndex: 0,
      committedOffset: offset,
      committedLeaderEpoch: -1,
      committedMetadata: null,
    };
    const answer = await this.#call(client, ApiKeys.TxnOffsetCommit, client.isModern ? 5 : 4, {
      ...producer,
      generationIdOrMemberEpoch: -1,
      memberId: '',
      groupInstanceId: null,
      topics: [{ name: DATA_TOPIC, topicId: '', partitions: [partition] }],
    });
    const topics = answer?.['topics'] as { partitions: { errorCode: number }[] }[] | undefined;
    if (topics?.[0]?.partitions[0]?.errorCode === ErrorCodes.NONE) txn.offset = offset;
    else txn.isTainted = true;
  }

  async #end(client: Client, committed: boolean): Promise<void> {
    client.ending = committed;
    const request = { transactionalId: client.transactionalId, ...client.identity!, committed };
    const answer = await this.#call(client, ApiKeys.EndTxn, client.isModern ? 5 : 4, request);
    const errorCode = answer?.['errorCode'] as number | undefined;
    if (errorCode === undefined || RETRIABLE.has(errorCode)) return;
    const { txn } = client;
    client.ending = null;
    client.txn = null;
    if (errorCode !== ErrorCodes.NONE) {
      if (txn !== null) txn.fate = 'unknown';
      client.identity = null;
      return;
    }
    if (txn !== null) txn.fate = committed ? 'committed' : 'aborted';
    if (client.isModern) {
      const { producerId, producerEpoch } = answer as { producerId: number; producerEpoch: number };
      client.identity = { producerId, producerEpoch };
      client.sequences = [0, 0];
      // Where a write may have been lost, version 1 does not know which number comes next.
    } else if (txn?.isTainted === true) client.identity = null;
  }

  /** Null when the broker died before it answered. */
  async #call(client: Client, apiKey: number, apiVersion: number, request: object): Promise<Answer> {
    this.lastAction = `client ${client.index} api ${apiKey}`;
    const incarnation = this.#incarnation;
    const handler = this.#world.incarnation.handlers.get(apiKey)!;
    const context = {
      apiVersion,
      correlationId: 1,
      clientId: 'client',
      connection: CONNECTION,
      requestBytes: 0,
      onSent: null,
    };
    const answer = (await handler.handle(request, context)) as Answer;
    return incarnation === this.#incarnation ? answer : null;
  }

  async #restart(): Promise<void> {
    const how = this.#random.chance(0.5) ? 'crash' : 'power cut';
    this.lastAction = how;
    this.#incarnation++;
    await this.#world.restart(how);
    for (const client of this.#clients) {
      if (client.isBusy && client.txn !== null && client.ending === null) client.txn.isTainted = true;
      // Who waited for an identity, or wrote in the old numbering, has to begin again.
      if (client.isBusy && client.ending === null) client.identity = null;
      if (client.identity === null && client.txn !== null) client.txn.fate = 'unknown';
      if (client.identity === null) client.txn = null;
      client.isBusy = false;
    }
  }

  #advance(ms: number): void {
    this.lastAction = `advance ${ms}`;
    this.#world.incarnation.clock.advance(ms);
  }
}

function firstPartitionError(answer: Record<string, unknown>): number {
  const topics = answer['responses'] as { partitionResponses: { errorCode: number }[] }[];
  return topics[0]?.partitionResponses[0]?.errorCode ?? ErrorCodes.UNKNOWN_SERVER_ERROR;
}
