import type { Logger } from '@ottla/platform';
import type { RecordTracer, SendSpan } from '../options/record-tracing.ts';
import type { Topic } from '../topic.ts';
import type { RecordMetadata } from './batch-outcome.ts';
import type { Acknowledgement, InterceptedRecord, ProducerInterceptor } from './producer-interceptor.ts';
import type { HeaderPair } from './record-bytes.ts';
import { headerPairs, type RecordInput, type TopicToSend } from './record-input.ts';

export interface SendWatchSetup {
  readonly interceptors: readonly ProducerInterceptor[];
  readonly tracer: RecordTracer | null;
  readonly logger: Logger;
  readonly clientId: string;
  readonly transactionalId: string | null;
}

/** A record as it is to be sent after all, and who wants to hear what becomes of it. */
export interface WatchedSend {
  readonly topic: TopicToSend<unknown, unknown>;
  readonly record: RecordInput;
  end(outcome: RecordMetadata | Error): void;
}

/** Interceptors and spans of a producer's records. There is none, and nothing is paid, without any of them. */
export class SendWatch {
  readonly #setup: SendWatchSetup;

  private constructor(setup: SendWatchSetup) {
    this.#setup = setup;
  }

  /** Null when nobody watches. */
  static of(setup: SendWatchSetup): SendWatch | null {
    const isWatched = setup.interceptors.length > 0 || setup.tracer?.startSend !== undefined;
    return isWatched ? new SendWatch(setup) : null;
  }

  /** Shows a record to the interceptors and begins its span. */
  begin(topic: TopicToSend<never, never>, record: RecordInput): WatchedSend {
    const { tracer, clientId, transactionalId } = this.#setup;
    const intercepted = this.#intercept(topic, record);
    const { key, value, partition } = intercepted.record;
    const name = nameOf(intercepted.topic);
    const span = tracer?.startSend?.({ topic: name, key, value, partition, clientId, transactionalId });
    const sent = span === undefined ? intercepted.record : withHeaders(intercepted.record, span.headers);
    return {
      topic: intercepted.topic,
      record: sent,
      end: (outcome) => this.#end(outcome, { topic: name, partition, span }),
    };
  }

  #intercept(
    topic: TopicToSend<never, never>,
    record: RecordInput,
  ): { readonly topic: TopicToSend<unknown, unknown>; readonly record: RecordInput } {
    const given = topic as TopicToSend<unknown, unknown>;
    const { interceptors, logger } = this.#setup;
    if (interceptors.length === 0) return { topic: given, record };
    let current: InterceptedRecord = { ...record, topic: nameOf(given) };
    for (const interceptor of interceptors) {
      try {
        current = interceptor.onSend?.(current) ?? current;
      } catch (error) {
        logger.warn({ err: error, topic: current.topic }, 'An interceptor failed in onSend');
      }
    }
    const { topic: name, ...changed } = current;
    const isMoved = name !== nameOf(given);
    return {
      topic: !isMoved ? given : typeof given === 'string' ? name : { ...given, name },
      record: changed,
    };
  }

  #end(
    outcome: RecordMetadata | Error,
    about: {
      readonly topic: string;
      readonly partition: number | undefined;
      readonly span: SendSpan | undefined;
    },
  ): void {
    const { interceptors, logger } = this.#setup;
    about.span?.end(outcome);
    if (interceptors.length === 0) return;
    const { topic, partition = -1 } = about;
    const acknowledgement: Acknowledgement =
      outcome instanceof Error
        ? { topic, partition, offset: -1, timestamp: -1, error: outcome }
        : { ...outcome, error: null };
    for (const interceptor of interceptors) {
      try {
        interceptor.onAcknowledgement?.(acknowledgement);
      } catch (error) {
        logger.warn({ err: error, topic }, 'An interceptor failed in onAcknowledgement');
      }
    }
  }
}

function nameOf(topic: Topic | string): string {
  return typeof topic === 'string' ? topic : topic.name;
}

/** The record with these headers, which take the place of its own of the same names. */
function withHeaders(record: RecordInput, added: readonly HeaderPair[]): RecordInput {
  if (added.length === 0) return record;
  const names = new Set(added.map(([name]) => name));
  const own = record.headers === undefined ? [] : headerPairs(record.headers);
  return { ...record, headers: [...own.filter(([name]) => !names.has(name)), ...added] };
}
