/** What the client measures: called for each event, so keep it cheap. Every member is optional. */
export interface ClientMetrics {
  /** A request was answered, failed, or timed out. `durationMs` is from the call until its end, `outcome` `ok` or an error's name. */
  onRequest?(event: RequestEvent): void;
  /** A connection was opened or lost, or could not be opened. */
  onConnection?(event: ConnectionEvent): void;
  /** A broker asked to slow down (KIP-219). */
  onThrottle?(event: {
    readonly nodeId: number;
    readonly api: string;
    readonly throttleTimeMs: number;
  }): void;
}

/** A request that is over. */
export interface RequestEvent {
  /** Kafka's name of the API: `Fetch`. */
  readonly api: string;
  readonly apiVersion: number;
  readonly nodeId: number;
  readonly durationMs: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly outcome: string;
}

/** What became of a connection to a broker. */
export interface ConnectionEvent {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly state: 'open' | 'closed' | 'failed';
  readonly error?: Error;
}

/** Makes spans of requests. */
export interface RequestTracer {
  /** Called where the request is made, in the caller's own async context; return nothing to leave the request out. */
  startRequest?(request: {
    /** Kafka's name of the API: `Fetch`. */
    readonly api: string;
    readonly nodeId: number;
    readonly host: string;
    readonly port: number;
  }): RequestSpan | undefined;
}

/** A request on its way. */
export interface RequestSpan {
  /** The request is over: `ok`, or the name of its error. Called once; not for requests that their caller aborts. */
  end(outcome: string): void;
}
