import { createServer, type IncomingMessage, type Server } from 'node:http';
import { SimClock } from '@ottla/platform';
import { afterEach, describe, expect, test } from 'vitest';
import {
  AuthenticationError,
  clientCredentials,
  clientOptionsFromProperties,
  ConnectionError,
  OptionError,
} from '../../../src/index.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A token endpoint; `answer` gives status and body. */
async function endpoint(
  answer: (request: IncomingMessage, body: string) => [number, object | string],
): Promise<string> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const [status, value] = answer(request, body);
      response.writeHead(status).end(typeof value === 'string' ? value : JSON.stringify(value));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as { port: number }).port}/token`;
}

const client = { clientId: 'billing', clientSecret: 's:e' };

describe('client credentials', () => {
  test('a token is kept for most of its life, and then asked for anew; callers of one moment share a request', async () => {
    const seen: string[] = [];
    const tokenEndpoint = await endpoint(({ headers }, body) => {
      seen.push(`${headers.authorization} ${body}`);
      return [200, { access_token: `token-${seen.length}`, expires_in: 100 }];
    });
    const clock = new SimClock();
    const token = clientCredentials({ tokenEndpoint, ...client, scope: 'kafka', clock });
    expect(await Promise.all([token(), token()])).toEqual(['token-1', 'token-1']);
    clock.advance(79_000);
    expect(await token()).toBe('token-1');
    clock.advance(2_000);
    expect(await token()).toBe('token-2');
    const basic = Buffer.from('billing:s:e').toString('base64');
    expect(seen[0]).toBe(`Basic ${basic} grant_type=client_credentials&scope=kafka`);
  });

  test.each<[number, object | string, string]>([
    [401, { error: 'invalid_client', error_description: 'unknown' }, '401: invalid_client, unknown'],
    [400, 'secret=s:e', '400: no reason given'],
    [200, { nothing: true }, 'without access_token'],
  ])('%i %j is an AuthenticationError', async (status, body, text) => {
    const token = clientCredentials({ tokenEndpoint: await endpoint(() => [status, body]), ...client });
    const asking = token();
    await expect(asking).rejects.toBeInstanceOf(AuthenticationError);
    await expect(asking).rejects.toThrow(text);
    await expect(asking).rejects.not.toThrow('s:e');
  });

  test('an endpoint that does not answer, or has trouble, can be tried again', async () => {
    const busy = clientCredentials({ tokenEndpoint: await endpoint(() => [503, '']), ...client });
    await expect(busy()).rejects.toMatchObject({ name: 'NETWORK_EXCEPTION', retriable: true });
    const tokenEndpoint = await endpoint(() => [200, '']);
    await new Promise((resolve) => servers.pop()!.close(resolve));
    const gone = clientCredentials({ tokenEndpoint, ...client });
    await expect(gone()).rejects.toBeInstanceOf(ConnectionError);
    await expect(gone()).rejects.toThrow('ECONNREFUSED');
  });

  test('the secret is not sent in the clear to another machine', () => {
    expect(() => clientCredentials({ tokenEndpoint: 'http://id.example/token', ...client })).toThrow(
      OptionError,
    );
    expect(() => clientCredentials({ tokenEndpoint: 'not a url', ...client })).toThrow('is no URL');
  });

  test("properties of Kafka's tools set it up", async () => {
    const tokenEndpoint = await endpoint(() => [200, { access_token: 'abc', expires_in: 100 }]);
    const { options } = clientOptionsFromProperties({
      'security.protocol': 'SASL_SSL',
      'sasl.mechanism': 'OAUTHBEARER',
      'sasl.oauthbearer.token.endpoint.url': tokenEndpoint,
      'sasl.jaas.config':
        'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId="billing" clientSecret="s";',
    });
    const sasl = options.sasl as unknown as { mechanism: string; token: () => Promise<string> };
    expect([sasl.mechanism, await sasl.token()]).toEqual(['OAUTHBEARER', 'abc']);
  });
});
