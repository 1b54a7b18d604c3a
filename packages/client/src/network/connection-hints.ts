import { ConnectionError } from '../errors/client-errors.ts';

interface Place {
  readonly host: string;
  readonly port: number;
  readonly isTls?: boolean;
}

const hints: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; is the broker running, and is this its address?',
  ENOTFOUND: 'the name is not known; is it the one that this machine can resolve (advertised.listeners)?',
  EAI_AGAIN: 'the name could not be looked up just now',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that network',
  ETIMEDOUT: 'the host does not answer; is a firewall in between?',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate signs itself; pass it in tls.ca',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate authority is not trusted; pass it in tls.ca',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate authority is not trusted; pass it in tls.ca',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate authority is not trusted; pass it in tls.ca',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'its certificate is for another name; set tls.servername, or tls.verifyHostname: false',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS on this port',
  EPROTO: 'it does not speak TLS on this port, or no version and cipher that both accept',
};

/** Failures that no retry cures: the other side's certificate or protocol is not what was asked for. */
function isLasting(code: string): boolean {
  return /CERT|^ERR_TLS|^ERR_SSL|SIGNATURE|^EPROTO$|^ERR_OSSL/.test(code);
}

/** Why a connection could not be opened, with a hint what to look at. */
export function openFailure(place: Place, cause: Error | null): ConnectionError {
  const code = String((cause as { code?: unknown } | null)?.code ?? '');
  const reason = cause === null ? 'it closed the connection' : aggregateMessage(cause);
  const guess =
    cause === null || code === 'ECONNRESET'
      ? place.isTls === true
        ? 'does that port speak TLS?'
        : 'does that port want TLS, or is it no Kafka?'
      : undefined;
  const hint = hints[code] ?? guess;
  return new ConnectionError(`Cannot connect to ${place.host}:${place.port} (${reason})`, {
    host: place.host,
    port: place.port,
    cause,
    retriable: !isLasting(code),
    ...(hint !== undefined && { hint }),
  });
}

/** Node joins the failures of several addresses of one name and leaves the message empty. */
function aggregateMessage(error: Error): string {
  if (error instanceof AggregateError && error.message === '')
    return error.errors.map((each) => (each instanceof Error ? each.message : String(each))).join('; ');
  return error.message;
}

/** An open connection went away. */
export function lostConnection(place: Place, cause: Error | null): ConnectionError {
  const reason = cause === null ? 'the broker closed it' : cause.message;
  return new ConnectionError(`The connection to ${place.host}:${place.port} was lost (${reason})`, {
    host: place.host,
    port: place.port,
    cause,
  });
}
