/** What is used of a span of @opentelemetry/api. */
export interface OtelSpan {
  setAttribute(name: string, value: string | number | boolean): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  recordException(error: Error): void;
  end(endTime?: number): void;
}

/** A link from one span to another. */
export interface OtelLink<SpanContext> {
  context: SpanContext;
}

/**
 * What is used of @opentelemetry/api, said without it: pass the module itself. `C` and `S` are its contexts and spans' contexts, which
 * nobody here looks into.
 */
export interface OpenTelemetryApi<C, S, Sp extends OtelSpan> {
  readonly ROOT_CONTEXT: C;
  readonly context: {
    active(): C;
    with<T>(context: C, work: () => T): T;
  };
  readonly propagation: {
    inject<Carrier>(
      context: C,
      carrier: Carrier,
      setter?: { set(carrier: Carrier, key: string, value: string): void },
    ): void;
    extract<Carrier>(
      context: C,
      carrier: Carrier,
      getter?: {
        keys(carrier: Carrier): string[];
        get(carrier: Carrier, key: string): undefined | string | string[];
      },
    ): C;
  };
  readonly trace: {
    getTracer(
      name: string,
      version?: string,
    ): {
      startSpan(
        name: string,
        options?: {
          kind?: number;
          attributes?: Record<string, string | number | boolean>;
          links?: OtelLink<S>[];
          startTime?: number;
        },
        context?: C,
      ): Sp;
    };
    setSpan(context: C, span: Sp): C;
    getSpanContext(context: C): S | undefined;
  };
}
