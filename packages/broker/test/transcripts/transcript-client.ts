import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { decodeResponse, encodeRequest, messagesByApiKey } from '@ottla/protocol';
import type { MessageInput } from '@ottla/protocol';
import type { TranscriptRequest } from './topic-requests.ts';

/** Sends raw requests one after the other and gives responses in a form that two brokers can be compared in. */
export class TranscriptClient {
  readonly #socket: Socket;
  readonly #port: number;
  #received = Buffer.alloc(0);
  #waiting: ((frame: Buffer | null) => void) | null = null;
  #correlationId = 0;
  /** Topic names by id, learned from every response. */
  readonly #namesById = new Map<string, string>();
  readonly #idsByName = new Map<string, string>();
  /** Member ids that the broker has made, in this order. */
  readonly #memberIds: string[] = [];

  private constructor(socket: Socket, port: number) {
    this.#socket = socket;
    this.#port = port;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('close', () => this.#waiting?.(null));
  }

  static async open(port: number): Promise<TranscriptClient> {
    const socket = connect(port, '127.0.0.1');
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    socket.on('error', () => {});
    return new TranscriptClient(socket, port);
  }

  /** The normalised response; the text `closed` when the broker hung up. */
  async exchange(request: TranscriptRequest): Promise<unknown> {
    const api = messagesByApiKey(request.apiKey);
    if (api === undefined) throw new Error(`No API with key ${request.apiKey}`);
    const body = this.#resolveIds(request.body) as MessageInput<unknown>;
    const header = { correlationId: (this.#correlationId += 1), clientId: 'transcript' };
    const answer = new Promise<Buffer | null>((resolve) => (this.#waiting = resolve));
    for (const chunk of encodeRequest(api.request, request.version, header, body)) this.#socket.write(chunk);
    const frame = await answer;
    if (frame === null) return 'closed';
    const { value } = decodeResponse(api.response, request.version, frame);
    this.#learnIds(value);
    return this.#normalise(value);
  }

  /** A new connection in place of one that the broker has closed; knows the same topics. */
  async reopened(): Promise<TranscriptClient> {
    const client = await TranscriptClient.open(this.#port);
    for (const [topicId, name] of this.#namesById) client.#namesById.set(topicId, name);
    for (const [name, topicId] of this.#idsByName) client.#idsByName.set(name, topicId);
    client.#memberIds.push(...this.#memberIds);
    return client;
  }

  close(): void {
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    if (this.#received.length < 4) return;
    const end = 4 + this.#received.readInt32BE(0);
    if (this.#received.length < end) return;
    const frame = this.#received.subarray(4, end);
    this.#received = this.#received.subarray(end);
    this.#waiting?.(frame);
  }

  #resolveIds(value: unknown): unknown {
    if (typeof value === 'string' && value.startsWith('$id:'))
      return this.#idsByName.get(value.slice(4)) ?? value;
    if (typeof value === 'string' && value.startsWith('$member:'))
      return this.#memberIds[Number(value.slice(8))] ?? value;
    if (Array.isArray(value)) return value.map((item) => this.#resolveIds(item));
    if (Buffer.isBuffer(value)) return value;
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#resolveIds(item)]));
  }

  #learnIds(value: unknown): void {
    if (value === null || typeof value !== 'object') return;
    const { name, topicId, replicaId, replicaDirectoryId } = value as Record<string, unknown>;
    if (typeof name === 'string' && typeof topicId === 'string' && !/^A+$/.test(topicId)) {
      this.#namesById.set(topicId, name);
      this.#idsByName.set(name, topicId);
    }
    if (typeof replicaDirectoryId === 'string' && !/^A+$/.test(replicaDirectoryId)) {
      this.#namesById.set(replicaDirectoryId, `voter-${String(replicaId)}`);
      this.#idsByName.set(`voter-${String(replicaId)}`, replicaDirectoryId);
    }
    for (const item of Object.values(value)) this.#learnIds(item);
  }

  #memberName(memberId: string): string {
    if (!this.#memberIds.includes(memberId)) this.#memberIds.push(memberId);
    return `$member:${this.#memberIds.indexOf(memberId)}`;
  }

  /** Ids, the port and the cluster differ between brokers; the order of topics does not matter to Kafka's clients. */
  #normalise(value: unknown): unknown {
    if (typeof value === 'string') {
      const name = this.#namesById.get(value);
      if (name !== undefined) return `$id:${name}`;
      return MADE_MEMBER_ID.test(value) ? this.#memberName(value) : value;
    }
    if (Array.isArray(value)) {
      const items = value.map((item) => this.#normalise(item));
      const isNamed = items.every(
        (item) => item !== null && typeof item === 'object' && 'errorCode' in item && 'name' in item,
      );
      if (!isNamed) return items;
      return items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    }
    if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => {
        if (key === 'port' && item === this.#port) return [key, '$port'];
        if (key === 'configs' && Array.isArray(item)) return [key, configLines(item)];
        if (key === 'clusterId' && typeof item === 'string' && item.length === 22) return [key, '$cluster'];
        return [key, this.#normalise(item)];
      }),
    );
  }
}

/** What a broker makes of the client id of a member that has none yet. */
const MADE_MEMBER_ID = /^transcript-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Keys whose values depend on the machine or on the ports that were free. */
const LOCAL_KEYS = new Set(['listeners', 'log.dirs', 'controller.quorum.voters']);

/** Configs in one line each; keys of our own have no counterpart to be compared with. */
function configLines(configs: readonly unknown[]): string[] {
  const lines = configs.map(configLine).filter((line) => line !== null);
  // DescribeConfigs promises no order, CreateTopics sorts by name.
  return configs.some((config) => 'synonyms' in Object(config)) ? lines.toSorted() : lines;
}

function configLine(config: unknown): string | null {
  const { name, value, configSource, readOnly, isSensitive, configType, synonyms } = config as Record<
    string,
    unknown
  >;
  if (name === 'write.caching') return null;
  const shown = (text: unknown): string => (LOCAL_KEYS.has(String(name)) ? '$local' : String(text));
  const flags = `${readOnly === true ? ' read-only' : ''}${isSensitive === true ? ' sensitive' : ''}`;
  const line = `${String(name)}=${shown(value)} source ${String(configSource)}${flags}`;
  if (!Array.isArray(synonyms)) return line;
  const chain = (synonyms as Record<string, unknown>[]).map(
    (synonym) => `${String(synonym['name'])}=${shown(synonym['value'])} source ${String(synonym['source'])}`,
  );
  return `${line} type ${String(configType)} [${chain.join(', ')}]`;
}
