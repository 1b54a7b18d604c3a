/** How to encrypt: PEM text or bytes, as Node's `tls.connect` takes them. */
export interface TlsOptions {
  /** Certificate authorities to trust instead of Node's own. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[];
  /** The client's certificate chain and private key, for brokers that demand one. */
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** Both in one PKCS12 file, instead of `cert` and `key`. */
  readonly pfx?: Buffer;
  /** Of an encrypted key or PKCS12 file. */
  readonly passphrase?: string;
  /** Name in the certificate, when it is not the host that is connected to. */
  readonly servername?: string;
  /** False trusts any certificate: for experiments only. Default: true. */
  readonly rejectUnauthorized?: boolean;
  /** False does not compare the certificate with the host (`ssl.endpoint.identification.algorithm=`). Default: true. */
  readonly verifyHostname?: boolean;
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL's names, colon-separated. */
  readonly ciphers?: string;
}
