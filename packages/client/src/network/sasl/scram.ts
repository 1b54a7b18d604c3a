import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import type { Random } from '@ottla/platform';
import { AuthenticationError } from '../../errors/client-errors.ts';
import { reveal, type SaslExchange, type SaslMechanism, type Secret } from './sasl-mechanism.ts';

/** Salted challenge and response (RFC 5802): the password does not travel, and the broker proves that it knows it too. */
export interface ScramOptions {
  readonly mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
  readonly username: string;
  readonly password: Secret;
  /** The user name is the id of a delegation token and the password its HMAC (KIP-48). Default: false. */
  readonly tokenAuth?: boolean;
}

/** Kafka's own bound from below: fewer would make the password easy to guess for whoever listens. */
const MIN_ITERATIONS = 4096;
/** A server that asks for more wants to keep this process busy. */
const MAX_ITERATIONS = 1_000_000;

/** Salts of at least one byte; nonces and salts as long as this are no honest server's. */
const MAX_MESSAGE_BYTES = 4096;

/** SASL SCRAM with SHA-256 or SHA-512. */
export function scram(options: ScramOptions, random: Random): SaslMechanism {
  return {
    mechanism: options.mechanism,
    start: () => new ScramExchange(options, `${random.uuid()}${random.uuid()}`),
  };
}

class ScramExchange implements SaslExchange {
  readonly #options: ScramOptions;
  readonly #hash: 'sha256' | 'sha512';
  readonly #nonce: string;
  readonly #firstBare: string;
  #serverSignature: Buffer | null = null;

  constructor(options: ScramOptions, nonce: string) {
    this.#options = options;
    this.#hash = options.mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512';
    this.#nonce = nonce;
    const name = options.username.replaceAll('=', '=3D').replaceAll(',', '=2C');
    this.#firstBare = `n=${name},r=${nonce}${options.tokenAuth === true ? ',tokenauth=true' : ''}`;
  }

  first(): Buffer {
    return Buffer.from(`n,,${this.#firstBare}`, 'utf8');
  }

  async next(challenge: Buffer): Promise<Buffer | null> {
    if (challenge.length > MAX_MESSAGE_BYTES) throw this.#error('its message is too long');
    const text = challenge.toString('utf8');
    if (this.#serverSignature === null) return this.#respond(text);
    this.#verify(attributes(text), this.#serverSignature);
    return null;
  }

  async #respond(serverFirst: string): Promise<Buffer> {
    const fields = attributes(serverFirst);
    const nonce = fields.get('r') ?? '';
    const salt = Buffer.from(fields.get('s') ?? '', 'base64');
    const iterations = Number(fields.get('i') ?? Number.NaN);
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length)
      throw this.#error('its nonce does not continue ours');
    if (salt.length === 0) throw this.#error('it sent no salt');
    if (!Number.isInteger(iterations) || iterations < MIN_ITERATIONS || iterations > MAX_ITERATIONS)
      throw this.#error(
        `it asks for ${fields.get('i')} iterations, ${MIN_ITERATIONS} to ${MAX_ITERATIONS} are accepted`,
      );
    const password = Buffer.from(await reveal(this.#options.password), 'utf8');
    const salted = await saltedPassword(password, salt, { iterations, hash: this.#hash });
    const clientKey = this.#hmac(salted, 'Client Key');
    const storedKey = createHash(this.#hash).update(clientKey).digest();
    // `biws` is the base64 of the GS2 header `n,,`.
    const withoutProof = `c=biws,r=${nonce}`;
    const authMessage = `${this.#firstBare},${serverFirst},${withoutProof}`;
    const signature = this.#hmac(storedKey, authMessage);
    const proof = Buffer.from(clientKey.map((byte, index) => byte ^ signature[index]!));
    this.#serverSignature = this.#hmac(this.#hmac(salted, 'Server Key'), authMessage);
    return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`, 'utf8');
  }

  #verify(fields: ReadonlyMap<string, string>, expected: Buffer): void {
    const refusal = fields.get('e');
    if (refusal !== undefined) throw this.#error(`it refuses with "${refusal}"`);
    const signature = Buffer.from(fields.get('v') ?? '', 'base64');
    if (signature.length !== expected.length || !timingSafeEqual(signature, expected))
      throw this.#error('its signature shows that it does not know the password');
  }

  #hmac(key: Buffer, text: string): Buffer {
    return createHmac(this.#hash, key).update(text, 'utf8').digest();
  }

  #error(reason: string): AuthenticationError {
    return new AuthenticationError(`${this.#options.mechanism} with the broker failed: ${reason}`);
  }
}

/** SaltedPassword of RFC 5802; computed on the thread pool. Used for logging in, and for storing a new password. */
export function saltedPassword(
  password: Buffer,
  salt: Buffer,
  { iterations, hash }: { readonly iterations: number; readonly hash: 'sha256' | 'sha512' },
): Promise<Buffer> {
  const length = hash === 'sha256' ? 32 : 64;
  return new Promise((resolve, reject) => {
    pbkdf2(password, salt, iterations, length, hash, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

/** `a=1,b=2` by letter; what comes first wins. */
function attributes(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const part of text.split(','))
    if (part.charAt(1) === '=' && !fields.has(part.charAt(0))) fields.set(part.charAt(0), part.slice(2));
  return fields;
}
