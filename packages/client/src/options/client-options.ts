import type { Clock, Logger, Random } from '@ottla/platform';
import type { SaslMechanism } from '../network/sasl/sasl-mechanism.ts';
import type { SaslOptions } from '../network/sasl/sasl-options.ts';
import type { TlsOptions } from '../network/tls-options.ts';
import type { ClientMetrics } from '../network/request-hooks.ts';
import type { ClientTracer } from './record-tracing.ts';

/** Where the brokers are and how to talk to them. Names are Kafka's in camelCase, defaults are Kafka's. */
export interface ClientOptions {
  /**
   * Addresses to begin with, `host:port` (9092 when there is no port), comma-separated or as a list. Default: the environment's
   * KAFKA_BROKERS or KAFKA_BOOTSTRAP_SERVERS (then with KAFKA_SECURITY_PROTOCOL and KAFKA_SASL_MECHANISM, _USERNAME, _PASSWORD), else
   * `localhost:9092`.
   */
  readonly bootstrap?: string | readonly string[] | undefined;
  /** `client.id`: how brokers' logs and quotas name this client. Default: `ottla`. */
  readonly clientId?: string | undefined;
  /** `client.rack`: for reading from a replica nearby (KIP-392). */
  readonly clientRack?: string | undefined;
  /** Encrypts; `true` trusts the certificate authorities that Node trusts. Default: false. */
  readonly tls?: boolean | TlsOptions | undefined;
  /** Authenticates. Default: none. */
  readonly sasl?: SaslOptions | undefined;
  /** `request.timeout.ms`: an unanswered request closes its connection after this. Default: 30 000. */
  readonly requestTimeoutMs?: number | undefined;
  /** `default.api.timeout.ms`: how long an operation is tried again. Default: 60 000. */
  readonly defaultApiTimeoutMs?: number | undefined;
  /** `socket.connection.setup.timeout.ms` and its maximum after failures. Default: 10 000 and 30 000. */
  readonly connectionSetupTimeoutMs?: number | undefined;
  readonly connectionSetupTimeoutMaxMs?: number | undefined;
  /** `reconnect.backoff.ms` and its maximum. Default: 50 and 1 000. */
  readonly reconnectBackoffMs?: number | undefined;
  readonly reconnectBackoffMaxMs?: number | undefined;
  /** `retry.backoff.ms` and its maximum. Default: 100 and 1 000. */
  readonly retryBackoffMs?: number | undefined;
  readonly retryBackoffMaxMs?: number | undefined;
  /** `metadata.max.age.ms`: metadata older than this is fetched again. Default: 300 000. */
  readonly metadataMaxAgeMs?: number | undefined;
  /** `metadata.recovery.strategy` (KIP-899): whether to begin again with `bootstrap` when no known broker answers. Default: rebootstrap. */
  readonly metadataRecoveryStrategy?: 'rebootstrap' | 'none' | undefined;
  /** `metadata.recovery.rebootstrap.trigger.ms` (KIP-1102). Default: 300 000. */
  readonly metadataRecoveryRebootstrapTriggerMs?: number | undefined;
  /** `connections.max.idle.ms`; -1 never closes. Default: 540 000. */
  readonly connectionsMaxIdleMs?: number | undefined;
  /** Requests in flight on one connection; more wait in the client. Default: 100. */
  readonly maxInFlightRequests?: number | undefined;
  /** Largest response that is accepted. Default: 256 MiB. */
  readonly maxResponseBytes?: number | undefined;
  readonly logger?: Logger | undefined;
  readonly metrics?: ClientMetrics | undefined;
  readonly tracer?: ClientTracer | undefined;
  /** For tests: a simulated clock. Its timers must run. */
  readonly clock?: Clock | undefined;
  /** For tests: a seeded generator. */
  readonly random?: Random | undefined;
}

/** An address of a broker. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** The options with every default filled in. */
export interface ResolvedClientOptions {
  readonly bootstrap: readonly HostAndPort[];
  readonly clientId: string;
  readonly clientRack: string;
  readonly tls: TlsOptions | null;
  readonly sasl: SaslMechanism | null;
  readonly requestTimeoutMs: number;
  readonly defaultApiTimeoutMs: number;
  readonly connectionSetupTimeoutMs: number;
  readonly connectionSetupTimeoutMaxMs: number;
  readonly reconnectBackoffMs: number;
  readonly reconnectBackoffMaxMs: number;
  readonly retryBackoffMs: number;
  readonly retryBackoffMaxMs: number;
  readonly metadataMaxAgeMs: number;
  readonly metadataRecoveryStrategy: 'rebootstrap' | 'none';
  readonly metadataRecoveryRebootstrapTriggerMs: number;
  readonly connectionsMaxIdleMs: number;
  readonly maxInFlightRequests: number;
  readonly maxResponseBytes: number;
  readonly logger: Logger;
  readonly metrics: ClientMetrics;
  readonly tracer: ClientTracer | null;
  readonly clock: Clock;
  readonly random: Random;
}
