import { messageFromJson, messageToJson, type Json, type MessageSchema } from '@ottla/protocol';
import * as protocol from '@ottla/protocol';
import type { Request, Scenario, Step } from './scenarios.ts';

/** Whatever answers requests: a broker behind sockets, or the handlers of this process. */
export interface Transport {
  /** Sends on a named connection; one request at a time on each. */
  send(connection: string, request: WireRequest): Promise<unknown>;
  wait(ms: number): Promise<void>;
  /** The id of topic `t1`. */
  readonly topicId: string;
}

export interface WireRequest {
  readonly version: number;
  readonly request: MessageSchema<object>;
  readonly response: MessageSchema<object>;
  readonly value: object;
}

/** One reply as the transcript keeps it. */
export interface Reply {
  readonly step: number;
  readonly api: string;
  readonly version: number;
  readonly reply: Json;
}

const MEMBER_ID = /^.*-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** What Kafka hands out to classic members of consumer groups; a topic id looks the same. */
const SHORT_MEMBER_ID = /^[\w-]{22}$/;

/** Plays a scenario and returns its replies with the broker's own names (member ids, groups, addresses) made neutral. */
export async function play(scenario: Scenario, transport: Transport, groupPrefix: string): Promise<Reply[]> {
  const replies: Reply[] = [];
  const inFlight = new Map<string, { step: number; request: Request; reply: Promise<unknown> }>();
  const names = new Names(groupPrefix, transport.topicId);

  const send = (step: number, connection: string, request: Request): void => {
    inFlight.set(connection, {
      step,
      request,
      reply: transport.send(connection, wireRequest(request, names)),
    });
  };
  const receive = async (connection: string): Promise<void> => {
    const waiting = inFlight.get(connection);
    if (waiting === undefined) throw new Error(`Nothing was sent on connection "${connection}"`);
    inFlight.delete(connection);
    const [api, version] = waiting.request;
    const { response } = schemas(api);
    const reply = names.neutral(messageToJson(response, version, (await waiting.reply) as object));
    replies.push({
      step: waiting.step,
      api,
      version,
      reply: api === 'LeaveGroup' ? reply : sortMembers(reply),
    });
  };

  for (const [index, step] of scenario.steps.entries()) await playStep(step, index);
  return replies;

  async function playStep(step: Step, index: number): Promise<void> {
    if ('wait' in step) {
      await transport.wait(step.wait);
    } else if ('receive' in step) {
      await receive(step.receive);
    } else if ('send' in step) {
      send(index, step.on, step.send);
      await transport.wait(20);
    } else {
      const connection = step.on ?? 'a';
      send(index, connection, step.call);
      await receive(connection);
    }
  }
}

/** Names that differ from broker to broker, and what stands for them. */
class Names {
  readonly #groupPrefix: string;
  readonly #topicId: string;
  readonly #memberIds: string[] = [];

  constructor(groupPrefix: string, topicId: string) {
    this.#groupPrefix = groupPrefix;
    this.#topicId = topicId;
  }

  real(value: unknown): unknown {
    return mapStrings(value, (text) => {
      if (text.startsWith('@group')) return this.#groupPrefix + text.slice('@group'.length);
      if (text === '@t1') return this.#topicId;
      if (/^#\d+$/.test(text)) return this.#memberIds[Number(text.slice(1)) - 1] ?? text;
      return text;
    });
  }

  neutral(value: unknown): Json {
    this.#learnMembers(value);
    const neutral = mapStrings(value, (text) => {
      if (text.includes(this.#groupPrefix)) return text.replaceAll(this.#groupPrefix, '@group');
      if (text === this.#topicId) return '@t1';
      return MEMBER_ID.test(text) || this.#memberIds.includes(text) ? this.#memberName(text) : text;
    });
    return mapAddresses(neutral) as Json;
  }

  #learnMembers(value: unknown): void {
    if (value === null || typeof value !== 'object') return;
    for (const [key, item] of Object.entries(value)) {
      if (key === 'memberId' && typeof item === 'string' && SHORT_MEMBER_ID.test(item))
        this.#memberName(item);
      this.#learnMembers(item);
    }
  }

  #memberName(memberId: string): string {
    if (!this.#memberIds.includes(memberId)) this.#memberIds.push(memberId);
    return `#${this.#memberIds.indexOf(memberId) + 1}`;
  }
}

function mapStrings(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value);
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, map));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapStrings(item, map)]));
}

/** Kafka lists the members of a group, and the numbers of partitions, in no particular order. */
function sortMembers(value: Json): Json {
  if (Array.isArray(value)) return value.map(sortMembers);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      key === 'members' && Array.isArray(item)
        ? item.map(sortMembers).toSorted((a, b) => memberIdOf(a).localeCompare(memberIdOf(b)))
        : key === 'partitions' && Array.isArray(item) && item.every((each) => typeof each === 'number')
          ? item.toSorted((a, b) => a - b)
          : sortMembers(item),
    ]),
  );
}

function memberIdOf(member: Json): string {
  return String((member as { memberId: string }).memberId);
}

/** Where the broker listens, and in which words it refuses, is its own affair; whether it says so is not. */
function mapAddresses(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(mapAddresses);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      key === 'port' && typeof item === 'number' && item > 0
        ? 9092
        : isErrorText(key, item)
          ? '(text)'
          : mapAddresses(item),
    ]),
  );
}

function isErrorText(key: string, value: unknown): boolean {
  return key === 'errorMessage' && typeof value === 'string' && value !== '' && value !== 'NONE';
}

function wireRequest([api, version, body]: Request, names: Names): WireRequest {
  const { request, response } = schemas(api);
  return { version, request, response, value: messageFromJson(request, version, names.real(body) as Json) };
}

function schemas(api: string): { request: MessageSchema<object>; response: MessageSchema<object> } {
  const name = api[0]?.toLowerCase() + api.slice(1);
  const all = protocol as unknown as Record<string, MessageSchema<object>>;
  const request = all[`${name}Request`];
  const response = all[`${name}Response`];
  if (request === undefined || response === undefined) throw new Error(`No messages for API "${api}"`);
  return { request, response };
}
