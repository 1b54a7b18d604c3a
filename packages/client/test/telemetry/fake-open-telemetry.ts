import { AsyncLocalStorage } from 'node:async_hooks';

export interface FakeSpanContext {
  readonly traceId: string;
  readonly spanId: string;
}

/** A span that is kept to be looked at. */
export class FakeSpan {
  readonly name: string;
  readonly kind: number;
  readonly attributes: Record<string, unknown>;
  readonly links: readonly string[];
  readonly parentId: string | undefined;
  readonly context: FakeSpanContext;
  startTime: number | undefined;
  status: { code: number; message?: string } | undefined;
  exception: Error | undefined;
  endCount = 0;

  constructor(
    name: string,
    options: {
      kind?: number;
      attributes?: Record<string, unknown>;
      links?: { context: FakeSpanContext }[];
      startTime?: number;
    },
    place: { readonly parent: FakeSpanContext | undefined; readonly spanId: string },
  ) {
    this.name = name;
    this.kind = options.kind ?? 0;
    this.attributes = { ...options.attributes };
    this.links = (options.links ?? []).map(({ context }) => context.spanId);
    this.startTime = options.startTime;
    this.parentId = place.parent?.spanId;
    this.context = { traceId: place.parent?.traceId ?? `trace-of-${place.spanId}`, spanId: place.spanId };
  }

  setAttribute(name: string, value: unknown): void {
    this.attributes[name] = value;
  }

  setStatus(status: { code: number; message?: string }): void {
    this.status = status;
  }

  recordException(error: Error): void {
    this.exception = error;
  }

  end(): void {
    this.endCount += 1;
  }
}

/** A context holds at most the context of a span. */
type FakeContext = { readonly span: FakeSpanContext | undefined };

const ROOT: FakeContext = { span: undefined };

/** As much of @opentelemetry/api, its SDK and the propagator of W3C as the client uses. */
export function fakeOpenTelemetry() {
  const spans: FakeSpan[] = [];
  const storage = new AsyncLocalStorage<FakeContext>();
  const active = (): FakeContext => storage.getStore() ?? ROOT;
  const api = {
    ROOT_CONTEXT: ROOT,
    context: {
      active,
      with: <T>(context: FakeContext, work: () => T): T => storage.run(context, work),
    },
    propagation: {
      inject<C>(
        { span }: FakeContext,
        carrier: C,
        setter?: { set(carrier: C, key: string, value: string): void },
      ): void {
        if (span !== undefined) setter!.set(carrier, 'traceparent', `${span.traceId}/${span.spanId}`);
      },
      extract<C>(
        context: FakeContext,
        carrier: C,
        getter?: { get(carrier: C, key: string): undefined | string | string[] },
      ): FakeContext {
        const found = getter!.get(carrier, 'traceparent');
        if (typeof found !== 'string') return context;
        const [traceId = '', spanId = ''] = found.split('/');
        return { span: { traceId, spanId } };
      },
    },
    trace: {
      getTracer: () => ({
        startSpan(
          name: string,
          options: ConstructorParameters<typeof FakeSpan>[1] = {},
          context: FakeContext = active(),
        ): FakeSpan {
          const span = new FakeSpan(name, options, {
            parent: context.span,
            spanId: `span-${spans.length + 1}`,
          });
          spans.push(span);
          return span;
        },
      }),
      setSpan: (_context: FakeContext, { context }: FakeSpan): FakeContext => ({ span: context }),
      getSpanContext: ({ span }: FakeContext): FakeSpanContext | undefined => span,
    },
  };
  return { api, spans, current: (): string | undefined => active().span?.spanId };
}
