import type { Message } from '../consumer/delivery/message.ts';
import type { ClientTracer } from '../options/record-tracing.ts';
import type { RecordMetadata } from '../producer/batch-outcome.ts';
import type { OpenTelemetryApi, OtelLink, OtelSpan } from './open-telemetry-api.ts';

/** What to make spans of, beside records. */
export interface OpenTelemetryOptions {
  /** Also makes a span of every request to a broker. Default: false. */
  readonly requests?: boolean;
}

type Attributes = Record<string, string | number | boolean>;

/** Numbers that @opentelemetry/api gives kinds of spans and codes of statuses. */
const CLIENT = 2;
const PRODUCER = 3;
const CONSUMER = 4;
const STATUS_ERROR = 2;

/** A span context is found in the headers of a record. */
const messageGetter = {
  keys: (message: Message): string[] => message.headers.map(({ key }) => key),
  get: (message: Message, key: string): string | undefined => message.header(key) ?? undefined,
};

const headerSetter = {
  set: (headers: [string, string][], key: string, value: string): unknown => headers.push([key, value]),
};

/** Makes spans with the application's OpenTelemetry: see `openTelemetry`. */
class OpenTelemetryTracer<C, S, Sp extends OtelSpan> {
  readonly #api: OpenTelemetryApi<C, S, Sp>;
  readonly #tracer: ReturnType<OpenTelemetryApi<C, S, Sp>['trace']['getTracer']>;

  constructor(api: OpenTelemetryApi<C, S, Sp>) {
    this.#api = api;
    this.#tracer = api.trace.getTracer('@ottla/client');
  }

  startSend({
    topic,
    key,
    value,
    partition,
    clientId,
  }: Parameters<NonNullable<ClientTracer['startSend']>>[0]) {
    const attributes: Attributes = {
      ...common('send', 'send', clientId),
      'messaging.destination.name': topic,
      ...(partition !== undefined && { 'messaging.destination.partition.id': String(partition) }),
      ...(typeof key === 'string' && { 'messaging.kafka.message.key': key }),
      ...(value === null && { 'messaging.kafka.message.tombstone': true }),
    };
    const { context, propagation, trace } = this.#api;
    const span = this.#tracer.startSpan(`send ${topic}`, { kind: PRODUCER, attributes });
    const headers: [string, string][] = [];
    propagation.inject(trace.setSpan(context.active(), span), headers, headerSetter);
    return {
      headers,
      end: (outcome: RecordMetadata | Error): void => {
        if (!(outcome instanceof Error)) {
          span.setAttribute('messaging.destination.partition.id', String(outcome.partition));
          if (outcome.offset >= 0) span.setAttribute('messaging.kafka.offset', outcome.offset);
        }
        end(span, outcome instanceof Error ? outcome : undefined);
      },
    };
  }

  startProcess({ message, clientId, group }: Parameters<NonNullable<ClientTracer['startProcess']>>[0]) {
    const { context, propagation, trace, ROOT_CONTEXT } = this.#api;
    const { topic } = message;
    // The trace that made the record goes on; the link says so too, as the conventions ask for.
    const parent = propagation.extract(ROOT_CONTEXT, message, messageGetter);
    const attributes = {
      ...common('process', 'process', clientId),
      ...groupOf(group),
      ...placeOf(message),
      ...(message.valueBytes === null && { 'messaging.kafka.message.tombstone': true }),
      'messaging.message.body.size': message.valueBytes?.length ?? 0,
    };
    const options = { kind: CONSUMER, attributes, links: this.#linksOf([message]) };
    const span = this.#tracer.startSpan(`process ${topic}`, options, parent);
    return {
      run: <T>(handler: () => T): T => context.with(trace.setSpan(context.active(), span), handler),
      end: (error: unknown): void => end(span, error),
    };
  }

  onReceive({
    messages,
    askedAtMs,
    clientId,
    group,
  }: Parameters<NonNullable<ClientTracer['onReceive']>>[0]): void {
    const [first] = messages;
    if (first === undefined) return;
    const isBatch = messages.length > 1;
    const attributes = {
      ...common('poll', 'receive', clientId),
      ...groupOf(group),
      ...(isBatch
        ? {
            'messaging.destination.name': first.topic,
            'messaging.destination.partition.id': String(first.partition),
            'messaging.batch.message_count': messages.length,
          }
        : placeOf(first)),
    };
    const span = this.#tracer.startSpan(`poll ${first.topic}`, {
      kind: CLIENT,
      attributes,
      links: this.#linksOf(messages),
      startTime: askedAtMs,
    });
    span.end();
  }

  startCommit({ clientId, group, offsets }: Parameters<NonNullable<ClientTracer['startCommit']>>[0]) {
    const topics = new Set(offsets.map(({ topic }) => topic));
    const [only] = offsets;
    const attributes: Attributes = {
      ...common('commit', 'settle', clientId),
      ...groupOf(group),
      ...(topics.size === 1 && { 'messaging.destination.name': only!.topic }),
      ...(offsets.length === 1 && {
        'messaging.destination.partition.id': String(only!.partition),
        'messaging.kafka.offset': only!.offset,
      }),
    };
    const name = topics.size === 1 ? `commit ${only!.topic}` : 'commit';
    const span = this.#tracer.startSpan(name, { kind: CLIENT, attributes });
    return { end: (outcome: string): void => endRequest(span, outcome) };
  }

  startRequest({ api, nodeId, host, port }: Parameters<NonNullable<ClientTracer['startRequest']>>[0]) {
    const attributes: Attributes = {
      'messaging.system': 'kafka',
      'rpc.method': api,
      'server.address': host,
      'server.port': port,
      ...(nodeId >= 0 && { 'kafka.node.id': nodeId }),
    };
    const span = this.#tracer.startSpan(api, { kind: CLIENT, attributes });
    return { end: (outcome: string): void => endRequest(span, outcome) };
  }

  #linksOf(messages: readonly Message[]): OtelLink<S>[] {
    const { propagation, trace, ROOT_CONTEXT } = this.#api;
    return messages.flatMap((message) => {
      const context = trace.getSpanContext(propagation.extract(ROOT_CONTEXT, message, messageGetter));
      return context === undefined ? [] : [{ context }];
    });
  }
}

/**
 * A tracer that makes spans by OpenTelemetry's conventions for messaging: `send` of each record (its context goes into the headers by
 * the application's propagator, `traceparent` as a rule), `process` around each handler of `each`, `poll` for what loops get, `commit`.
 *
 * @example
 * import * as api from '@opentelemetry/api';
 * const ottla = connect({ bootstrap: 'localhost:9092', tracer: openTelemetry(api) });
 */
export function openTelemetry<C, S, Sp extends OtelSpan>(
  api: OpenTelemetryApi<C, S, Sp>,
  options: OpenTelemetryOptions = {},
): ClientTracer {
  const tracer = new OpenTelemetryTracer(api);
  return {
    startSend: (record) => tracer.startSend(record),
    startProcess: (record) => tracer.startProcess(record),
    onReceive: (received) => tracer.onReceive(received),
    startCommit: (commit) => tracer.startCommit(commit),
    ...(options.requests === true && {
      startRequest: (request: Parameters<typeof tracer.startRequest>[0]) => tracer.startRequest(request),
    }),
  };
}

function common(name: string, type: string, clientId: string): Attributes {
  return {
    'messaging.system': 'kafka',
    'messaging.operation.name': name,
    'messaging.operation.type': type,
    'messaging.client.id': clientId,
  };
}

function groupOf(group: string | null): Attributes {
  return group === null ? {} : { 'messaging.consumer.group.name': group };
}

function placeOf(message: Message): Attributes {
  const { topic, partition, offset } = message;
  const key = message.keyBytes?.toString();
  return {
    'messaging.destination.name': topic,
    'messaging.destination.partition.id': String(partition),
    'messaging.kafka.offset': offset,
    // Bytes that are no text have no form that is the same everywhere.
    ...(key !== undefined && !key.includes('\uFFFD') && { 'messaging.kafka.message.key': key }),
  };
}

function end(span: OtelSpan, error: unknown): void {
  if (error !== undefined) {
    const failure = error instanceof Error ? error : new Error(String(error));
    span.recordException(failure);
    span.setAttribute('error.type', failure.name);
    span.setStatus({ code: STATUS_ERROR, message: failure.message });
  }
  span.end();
}

function endRequest(span: OtelSpan, outcome: string): void {
  if (outcome !== 'ok') {
    span.setAttribute('error.type', outcome);
    span.setStatus({ code: STATUS_ERROR });
  }
  span.end();
}
