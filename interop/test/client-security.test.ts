import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AuthenticationError,
  clientOptionsFromProperties,
  connect,
  ConnectionError,
  KafkaError,
  type ClientOptions,
  type RequestEvent,
} from '@ottla/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, freePort, mustRun, Peer } from '../src/index.ts';
import { absent, interop, title, unique } from './support.ts';

/**
 * TLS and SASL of the client against Apache Kafka, whichever broker is under test: a node with a listener for each way in.
 */
describe.skipIf(absent(interop.java))(title('client: TLS and SASL with Apache Kafka', interop.java), () => {
  const folder = mkdtempSync(join(tmpdir(), 'ottla-security-'));
  let peer: Peer;
  let ca = '';
  const ports = { ssl: 0, sasl: 0, saslSsl: 0 };
  const login = 'org.apache.kafka.common.security';

  beforeAll(async () => {
    const store = join(folder, 'broker.p12');
    const common = ['-alias', 'broker', '-keystore', store, '-storetype', 'PKCS12', '-storepass', 'changeit'];
    const names = ['-dname', 'CN=localhost', '-ext', 'SAN=dns:localhost,ip:127.0.0.1'];
    await mustRun('keytool', [
      '-genkeypair',
      '-keyalg',
      'RSA',
      '-keysize',
      '2048',
      '-validity',
      '30',
      ...names,
      ...common,
    ]);
    await mustRun('keytool', ['-exportcert', '-rfc', '-file', join(folder, 'ca.pem'), ...common]);
    ca = readFileSync(join(folder, 'ca.pem'), 'utf8');
    for (const name of ['ssl', 'sasl', 'saslSsl'] as const) ports[name] = await freePort();
    const libs = 'absent' in interop.java ? {} : { libs: interop.java.brokerLibs };
    peer = await Peer.start({
      kind: 'kafka',
      ...libs,
      listeners: [
        `SSL://127.0.0.1:${ports.ssl}`,
        `SASL_PLAINTEXT://127.0.0.1:${ports.sasl}`,
        `SASL_SSL://127.0.0.1:${ports.saslSsl}`,
      ],
      properties: {
        'listener.security.protocol.map':
          'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL',
        'ssl.keystore.location': store,
        'ssl.keystore.type': 'PKCS12',
        'ssl.keystore.password': 'changeit',
        'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
        'listener.name.sasl_plaintext.plain.sasl.jaas.config': `${login}.plain.PlainLoginModule required user_ada="pencil";`,
        // Tokens that nobody signed: for this test alone.
        'listener.name.sasl_plaintext.oauthbearer.sasl.jaas.config': `${login}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
        'listener.name.sasl_plaintext.plain.connections.max.reauth.ms': '1500',
        ...Object.fromEntries(
          ['sasl_plaintext', 'sasl_ssl'].flatMap((listener) =>
            ['scram-sha-256', 'scram-sha-512'].map((mechanism) => [
              `listener.name.${listener}.${mechanism}.sasl.jaas.config`,
              `${login}.scram.ScramLoginModule required;`,
            ]),
          ),
        ),
        'listener.name.sasl_ssl.plain.sasl.jaas.config': `${login}.plain.PlainLoginModule required user_ada="pencil";`,
        'listener.name.sasl_ssl.oauthbearer.sasl.jaas.config': `${login}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
        'delegation.token.secret.key': 'a-secret-of-the-cluster',
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users': 'User:ANONYMOUS;User:ada;User:svc;User:CN=localhost',
      },
    });
    await using ottla = connect(peer.bootstrap);
    const { users } = ottla.admin();
    for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
      await users.setPassword('svc', { mechanism, password: 'p=w,d' });
      await eventually('The user', async () => ((await users.has('svc', mechanism)) ? true : undefined));
    }
  });

  afterAll(async () => {
    await peer?.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  async function ready(options: ClientOptions, timeoutMs = 10_000): Promise<void> {
    await using ottla = connect(options);
    await ottla.ready({ timeoutMs });
  }

  const failureOf = (options: ClientOptions): Promise<unknown> =>
    ready(options, 1_500).then(
      () => 'ready',
      (error: unknown) => error,
    );

  /** A token without signature, as the broker's unsecured validator takes it. */
  function unsecuredToken(lifetimeS: number): string {
    const now = Math.floor(Date.now() / 1000);
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    return `${part({ alg: 'none' })}.${part({ sub: 'svc', iat: now, exp: now + lifetimeS })}.`;
  }

  test("TLS with the broker's certificate trusted", async () => {
    await ready({ bootstrap: `localhost:${ports.ssl}`, tls: { ca } });
    await ready({
      bootstrap: `127.0.0.1:${ports.ssl}`,
      tls: { ca, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' },
    });
    await ready({ bootstrap: `127.0.0.1:${ports.ssl}`, tls: { rejectUnauthorized: false } });
  });

  test("TLS from the properties of Kafka's own tools", async () => {
    const { options } = clientOptionsFromProperties(
      `bootstrap.servers=127.0.0.1:${ports.ssl}\nsecurity.protocol=SSL\nssl.truststore.type=PEM\nssl.truststore.location=${join(folder, 'ca.pem')}\n`,
    );
    await ready(options);
  });

  test('a certificate that is not trusted, or for another name, is refused with the remedy', async () => {
    const untrusted = await failureOf({ bootstrap: `127.0.0.1:${ports.ssl}`, tls: true });
    expect(untrusted).toBeInstanceOf(ConnectionError);
    expect(untrusted).toMatchObject({ retriable: false });
    expect(String(untrusted)).toContain('tls.ca');
    const named = await failureOf({
      bootstrap: `127.0.0.1:${ports.ssl}`,
      tls: { ca, servername: 'example.org' },
    });
    expect(String(named)).toContain('tls.servername');
    await ready({
      bootstrap: `127.0.0.1:${ports.ssl}`,
      tls: { ca, servername: 'example.org', verifyHostname: false },
    });
  });

  test('TLS to a plain listener, and plain to a TLS listener: errors that say so', async () => {
    const toPlain = await failureOf({
      bootstrap: peer.bootstrap,
      tls: { ca },
      connectionSetupTimeoutMs: 1_000,
    });
    expect(toPlain).toBeInstanceOf(KafkaError);
    expect(String(toPlain)).toContain('TLS');
    const toTls = await failureOf({ bootstrap: `127.0.0.1:${ports.ssl}`, connectionSetupTimeoutMs: 1_000 });
    expect(toTls).toBeInstanceOf(KafkaError);
    expect(String(toTls)).toContain('TLS');
  });

  test.each([
    ['PLAIN', { mechanism: 'PLAIN', username: 'ada', password: 'pencil' }],
    ['SCRAM-SHA-256', { mechanism: 'SCRAM-SHA-256', username: 'svc', password: 'p=w,d' }],
    ['SCRAM-SHA-512', { mechanism: 'SCRAM-SHA-512', username: 'svc', password: 'p=w,d' }],
    ['OAUTHBEARER', { mechanism: 'OAUTHBEARER', token: () => unsecuredToken(600) }],
  ] as const)('SASL %s, plain and over TLS', async (_, sasl) => {
    await ready({ bootstrap: `127.0.0.1:${ports.sasl}`, sasl });
    await ready({ bootstrap: `127.0.0.1:${ports.saslSsl}`, sasl, tls: { ca } });
  });

  test.each([
    ['PLAIN', { mechanism: 'PLAIN', username: 'ada', password: 'wrong' }],
    ['SCRAM-SHA-512', { mechanism: 'SCRAM-SHA-512', username: 'svc', password: 'wrong' }],
    ['SCRAM of an unknown user', { mechanism: 'SCRAM-SHA-256', username: 'nobody', password: 'x' }],
    ['OAUTHBEARER', { mechanism: 'OAUTHBEARER', token: () => unsecuredToken(-600) }],
  ] as const)('%s with wrong credentials is an AuthenticationError', async (_, sasl) => {
    const error = await failureOf({ bootstrap: `127.0.0.1:${ports.sasl}`, sasl });
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(error).toMatchObject({ code: 58, retriable: false });
  });

  test('a session that ends is renewed on its connection (KIP-368)', async () => {
    const sasl = { mechanism: 'PLAIN', username: 'ada', password: 'pencil' } as const;
    const seen: RequestEvent[] = [];
    let opened = 0;
    const metrics = {
      onRequest: (event: RequestEvent) => void seen.push(event),
      onConnection: ({ state }: { state: string }) => void (opened += state === 'open' ? 1 : 0),
    };
    await using ottla = connect({ bootstrap: `127.0.0.1:${ports.sasl}`, sasl, metrics });
    await ottla.ready();
    const opens = opened;
    await eventually('The second authentication', async () => {
      await ottla.ready();
      return seen.filter(({ api }) => api === 'SaslAuthenticate').length >= 3 ? true : undefined;
    });
    expect(opened).toBe(opens);
    expect(seen.filter(({ outcome }) => outcome !== 'ok')).toEqual([]);
  });

  test('ACLs are created, found and deleted; delegation tokens are made, used and ended', async () => {
    await using ottla = connect({
      bootstrap: `127.0.0.1:${ports.sasl}`,
      sasl: { mechanism: 'SCRAM-SHA-256', username: 'svc', password: 'p=w,d' },
    });
    const { acls, tokens } = ottla.admin();
    const binding = {
      resourceType: 'TOPIC',
      resourceName: unique('acl'),
      patternType: 'PREFIXED',
      principal: 'User:bob',
      host: '*',
      operation: 'READ',
      permission: 'ALLOW',
    } as const;
    await acls.create([binding]);
    await eventually('The ACL', async () =>
      (await acls.describe({ resourceName: binding.resourceName, resourceType: 'TOPIC' })).length === 1
        ? true
        : undefined,
    );
    const filter = { principal: 'User:bob' };
    expect((await acls.delete([filter])).get(filter)).toEqual([binding]);

    const token = await tokens.create({ renewers: ['User:ada'] });
    expect(token).toMatchObject({ owner: 'User:svc', renewers: ['User:ada'] });
    await eventually('The token', async () => ((await tokens.describe()).length === 1 ? true : undefined));
    await ready({
      bootstrap: `127.0.0.1:${ports.sasl}`,
      sasl: {
        mechanism: 'SCRAM-SHA-256',
        username: token.tokenId,
        password: token.hmac.toString('base64'),
        tokenAuth: true,
      },
    });
    expect(await tokens.renew(token.hmac, { renewPeriodMs: 60_000 })).toBeGreaterThan(0);
    await tokens.expire(token.hmac);
  });
});
