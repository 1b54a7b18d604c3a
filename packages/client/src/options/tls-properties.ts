import { OptionError } from '../errors/client-errors.ts';
import type { TlsOptions } from '../network/tls-options.ts';

type Take = (name: string) => string | undefined;
type ReadFile = (file: string) => Buffer;

/**
 * TLS options from Kafka's ssl.* properties. Stores are PEM, inline or as a file (KIP-651), or PKCS12 for the client's own key.
 * @throws OptionError for JKS and for what cannot be read
 */
export function tlsFromProperties(take: Take, readFile: ReadFile): TlsOptions {
  const passphrase = take('ssl.key.password');
  return {
    ...(passphrase !== undefined && { passphrase }),
    ...trustStore(take, readFile),
    ...keyStore(take, readFile),
    ...protocols(take),
    ...(take('ssl.endpoint.identification.algorithm') === '' && { verifyHostname: false }),
  };
}

function trustStore(take: Take, readFile: ReadFile): TlsOptions {
  const type = take('ssl.truststore.type')?.toUpperCase();
  const inline = take('ssl.truststore.certificates');
  const file = take('ssl.truststore.location');
  take('ssl.truststore.password');
  if (inline !== undefined) return { ca: inline };
  if (file === undefined) return {};
  const content = readStore('ssl.truststore.location', file, readFile);
  if (type === 'PEM' || looksLikePem(content)) return { ca: content };
  throw new OptionError(
    `ssl.truststore.location "${file}" is ${type ?? 'JKS'}: only PEM can be read; convert it with: keytool -exportcert -rfc -keystore ${file} -alias NAME`,
  );
}

function keyStore(take: Take, readFile: ReadFile): TlsOptions {
  const type = take('ssl.keystore.type')?.toUpperCase();
  const key = take('ssl.keystore.key');
  const chain = take('ssl.keystore.certificate.chain');
  const file = take('ssl.keystore.location');
  const password = take('ssl.keystore.password');
  if (key !== undefined) return { key, ...(chain !== undefined && { cert: chain }) };
  if (file === undefined) return {};
  const content = readStore('ssl.keystore.location', file, readFile);
  // One file holds the key and its certificates.
  if (type === 'PEM' || looksLikePem(content)) return { key: content, cert: content };
  if (type === 'PKCS12') return { pfx: content, ...(password !== undefined && { passphrase: password }) };
  throw new OptionError(
    `ssl.keystore.location "${file}" is ${type ?? 'JKS'}: PEM and PKCS12 can be read; convert it with: keytool -importkeystore -srckeystore ${file} -destkeystore store.p12 -deststoretype PKCS12`,
  );
}

function readStore(property: string, file: string, readFile: ReadFile): Buffer {
  try {
    return readFile(file);
  } catch (error) {
    throw new OptionError(`${property} "${file}" cannot be read`, error);
  }
}

function looksLikePem(content: Buffer): boolean {
  return content.includes('-----BEGIN ');
}

function protocols(take: Take): TlsOptions {
  const enabled = take('ssl.enabled.protocols') ?? take('ssl.protocol');
  take('ssl.protocol');
  const ciphers = take('ssl.cipher.suites');
  const options: TlsOptions =
    ciphers === undefined
      ? {}
      : {
          ciphers: ciphers
            .split(',')
            .map((name) => name.trim())
            .join(':'),
        };
  if (enabled === undefined || enabled === 'TLS') return options;
  const names = enabled.split(',').map((name) => name.trim());
  const known = names.filter((name) => name === 'TLSv1.2' || name === 'TLSv1.3').sort();
  if (known.length === 0)
    throw new OptionError(`ssl.enabled.protocols "${enabled}" has neither TLSv1.2 nor TLSv1.3`);
  return { ...options, minVersion: known[0]!, maxVersion: known.at(-1)! };
}
