import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { SeededRandom } from '@ottla/platform';
import { describe, expect, test } from 'vitest';
import { AuthenticationError, connect, OptionError, type SaslOptions } from '../../../src/index.ts';
import { scram } from '../../../src/network/sasl/scram.ts';
import { FakeServer } from '../../fake-server.ts';

/** A broker that wants SASL: `verify` answers to each message of the client, null when it is refused. */
function saslServer(
  mechanisms: string[],
  verify: (message: Buffer, round: number) => Buffer | null,
  sessionLifetimeMs = 0,
): Promise<FakeServer> {
  let round = 0;
  return FakeServer.start(({ api, body }) => {
    if (api === 'SaslHandshake') {
      round = 0;
      const isKnown = mechanisms.includes(body['mechanism']!);
      return { errorCode: isKnown ? 0 : 33, mechanisms };
    }
    if (api !== 'SaslAuthenticate') return undefined;
    const reply = verify(body['authBytes']! as Buffer, round++);
    return reply === null
      ? { errorCode: 58, errorMessage: 'Authentication failed: Invalid username or password' }
      : { errorCode: 0, authBytes: reply, sessionLifetimeMs };
  });
}

function ready(server: FakeServer, sasl: SaslOptions): Promise<void> {
  return (async () => {
    await using ottla = connect({ bootstrap: server.bootstrap, sasl });
    await ottla.ready({ timeoutMs: 5_000 });
  })();
}

/** The server's side of SCRAM, by the RFC. */
function scramServer(
  password: string,
  change: { iterations?: number; nonce?: string; signature?: string } = {},
) {
  const salt = Buffer.from('0123456789abcdef');
  const iterations = change.iterations ?? 4096;
  let firstBare = '';
  let serverFirst = '';
  return (message: Buffer, round: number): Buffer | null => {
    const text = message.toString();
    if (round === 0) {
      firstBare = text.slice(3);
      const nonce = change.nonce ?? `${/r=([^,]+)/.exec(firstBare)![1]}server`;
      serverFirst = `r=${nonce},s=${salt.toString('base64')},i=${iterations}`;
      return Buffer.from(serverFirst);
    }
    const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
    const hmac = (key: Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();
    const [withoutProof, proof] = text.split(',p=') as [string, string];
    const auth = `${firstBare},${serverFirst},${withoutProof}`;
    const clientKey = hmac(salted, 'Client Key');
    const storedKey = createHash('sha256').update(clientKey).digest();
    const expected = hmac(storedKey, auth).map((byte, i) => byte ^ clientKey[i]!);
    if (Buffer.from(expected).toString('base64') !== proof) return null;
    return Buffer.from(`v=${change.signature ?? hmac(hmac(salted, 'Server Key'), auth).toString('base64')}`);
  };
}

describe('PLAIN', () => {
  test('user and password are accepted, and asked for anew with each connection', async () => {
    const seen: string[] = [];
    await using server = await saslServer(['PLAIN'], (message) => {
      seen.push(message.toString());
      return Buffer.alloc(0);
    });
    let count = 0;
    const password = async (): Promise<string> => `secret-${(count += 1)}`;
    await ready(server, { mechanism: 'PLAIN', username: 'ada', password });
    await ready(server, { mechanism: 'PLAIN', username: 'ada', password });
    expect(seen).toEqual(['\0ada\0secret-1', '\0ada\0secret-2']);
  });

  test("wrong credentials are an AuthenticationError at once, with the broker's reason", async () => {
    await using server = await saslServer(['PLAIN'], () => null);
    const error = await ready(server, { mechanism: 'PLAIN', username: 'ada', password: 'x' }).catch(
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(error).toMatchObject({ name: 'SASL_AUTHENTICATION_FAILED', code: 58, retriable: false });
    expect(String(error)).toContain('Invalid username or password');
  });

  test('a password that cannot be had is an AuthenticationError with the cause', async () => {
    await using server = await saslServer(['PLAIN'], () => Buffer.alloc(0));
    const password = (): string => {
      throw new Error('the vault is shut');
    };
    const attempt = ready(server, { mechanism: 'PLAIN', username: 'ada', password });
    await expect(attempt).rejects.toBeInstanceOf(AuthenticationError);
    await expect(attempt).rejects.toThrow('the vault is shut');
  });

  test('a mechanism that the broker does not have names those that it has', async () => {
    await using server = await saslServer(['SCRAM-SHA-512', 'GSSAPI'], () => null);
    const attempt = ready(server, { mechanism: 'PLAIN', username: 'ada', password: 'x' });
    await expect(attempt).rejects.toMatchObject({ name: 'UNSUPPORTED_SASL_MECHANISM' });
    await expect(attempt).rejects.toThrow('SCRAM-SHA-512, GSSAPI');
  });
});

describe('SCRAM', () => {
  const sasl = { mechanism: 'SCRAM-SHA-256', username: 'a=b,c', password: 'pencil' } as const;

  test('both sides prove that they know the password', async () => {
    await using server = await saslServer(['SCRAM-SHA-256'], scramServer('pencil'));
    await ready(server, sasl);
    const first = server.requests.find(({ api }) => api === 'SaslAuthenticate')!.body['authBytes']! as Buffer;
    expect(first.toString()).toMatch(/^n,,n=a=3Db=2Cc,r=/);
  });

  test.each([
    ['a wrong password is refused by the broker', scramServer('other'), 'refuses the credentials'],
    [
      'a broker that does not know the password is found out',
      scramServer('pencil', { signature: 'AAAA' }),
      'does not know the password',
    ],
    ['a nonce that is not ours is refused', scramServer('pencil', { nonce: 'replayed' }), 'nonce'],
    ['too few iterations are refused', scramServer('pencil', { iterations: 1 }), '4096 to 1000000'],
    [
      'too many iterations are refused',
      scramServer('pencil', { iterations: 2_000_000_000 }),
      '4096 to 1000000',
    ],
  ])('%s', async (_, verify, text) => {
    await using server = await saslServer(['SCRAM-SHA-256'], verify);
    const attempt = ready(server, sasl);
    await expect(attempt).rejects.toBeInstanceOf(AuthenticationError);
    await expect(attempt).rejects.toThrow(text);
  });

  test('delegation tokens say that they are', () => {
    const mechanism = scram({ ...sasl, tokenAuth: true }, new SeededRandom(1));
    expect(String(mechanism.start({ host: '', port: 0 }).first())).toMatch(/,tokenauth=true$/);
  });
});

describe('OAUTHBEARER', () => {
  test("token and extensions are sent; the token is asked for with the broker's address", async () => {
    await using server = await saslServer(['OAUTHBEARER'], () => Buffer.alloc(0));
    const asked: number[] = [];
    const token = ({ port }: { port: number }): string => (asked.push(port), 'abc.def');
    await ready(server, { mechanism: 'OAUTHBEARER', token, extensions: { logicalCluster: 'lkc-1' } });
    expect(asked).toEqual([server.port]);
    const sent = server.requests.find(({ api }) => api === 'SaslAuthenticate')!.body['authBytes']! as Buffer;
    expect(sent.toString()).toBe('n,,\u0001auth=Bearer abc.def\u0001logicalCluster=lkc-1\u0001\u0001');
  });

  test('a refused token is an AuthenticationError', async () => {
    await using server = await saslServer(['OAUTHBEARER'], (message) =>
      message.length > 1 ? Buffer.from('{"status":"invalid_token"}') : null,
    );
    await expect(ready(server, { mechanism: 'OAUTHBEARER', token: () => 'abc' })).rejects.toBeInstanceOf(
      AuthenticationError,
    );
  });
});

test('a session that ends is renewed on the open connection, before requests that come later (KIP-368)', async () => {
  await using server = await saslServer(['PLAIN'], () => Buffer.alloc(0), 1);
  await using ottla = connect({
    bootstrap: server.bootstrap,
    sasl: { mechanism: 'PLAIN', username: 'ada', password: 'x' },
  });
  await ottla.ready({ timeoutMs: 5_000 });
  const authentications = (): number =>
    server.requests.filter(({ api }) => api === 'SaslAuthenticate').length;
  // The session lasts a millisecond: one of the next requests comes after its end.
  for (let count = 0; count < 1_000 && authentications() < 2; count += 1)
    await ottla.ready({ timeoutMs: 5_000 });
  expect(authentications()).toBe(2);
  const apis = server.requests.map(({ api }) => api);
  expect(apis.at(-1)).toBe('Metadata');
  expect(server.connectionCount).toBe(1);
});

test('mechanisms that are not brought need an object; credentials must be there', () => {
  expect(() => connect({ sasl: { mechanism: 'GSSAPI' } as unknown as SaslOptions })).toThrow(OptionError);
  expect(() => connect({ sasl: { mechanism: 'PLAIN', username: '', password: 'x' } })).toThrow(
    'sasl.username',
  );
});
