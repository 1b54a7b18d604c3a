import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clientOptionsFromProperties, OptionError } from '../../src/index.ts';

let folder = '';
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'ottla-properties-'))));
afterAll(() => rmSync(folder, { recursive: true }));

describe('client properties', () => {
  test("a file of Kafka's tools becomes options; what is for producers and consumers is left", () => {
    const { options, rest } = clientOptionsFromProperties(`
# as in config/client.properties
bootstrap.servers=a:1,b:2
client.id=billing
request.timeout.ms = 5000
security.protocol=SASL_SSL
sasl.mechanism=SCRAM-SHA-512
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\
  username="al\\\\"ice" password='p;w';
group.id=g
`);
    expect(options).toEqual({
      bootstrap: 'a:1,b:2',
      clientId: 'billing',
      requestTimeoutMs: 5000,
      tls: {},
      sasl: { mechanism: 'SCRAM-SHA-512', username: 'al"ice', password: 'p;w', tokenAuth: false },
    });
    expect([...rest]).toEqual([['group.id', 'g']]);
  });

  test('PEM stores are read, inline or from files; host names need not be verified', () => {
    const pem = '-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n';
    const file = join(folder, 'store.pem');
    writeFileSync(file, pem);
    const { options } = clientOptionsFromProperties({
      'security.protocol': 'SSL',
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': file,
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.key': 'KEY',
      'ssl.keystore.certificate.chain': 'CHAIN',
      'ssl.key.password': 'secret',
      'ssl.endpoint.identification.algorithm': '',
      'ssl.enabled.protocols': 'TLSv1.3,TLSv1.2',
    });
    expect(options.tls).toEqual({
      ca: Buffer.from(pem),
      key: 'KEY',
      cert: 'CHAIN',
      passphrase: 'secret',
      verifyHostname: false,
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
    });
  });

  test.each([
    [{ 'request.timeout.ms': 'soon' }, 'request.timeout.ms "soon"'],
    [{ 'security.protocol': 'TLS' }, 'PLAINTEXT, SSL'],
    [{ 'security.protocol': 'SASL_SSL' }, 'GSSAPI'],
    [{ 'security.protocol': 'SASL_SSL', 'sasl.mechanism': 'PLAIN' }, 'sasl.jaas.config'],
    [{ 'security.protocol': 'SSL', 'ssl.truststore.location': '/nowhere/x.jks' }, 'cannot be read'],
  ])('%j is refused with what to do', (properties, text) => {
    expect(() => clientOptionsFromProperties(properties as Record<string, string>)).toThrow(OptionError);
    expect(() => clientOptionsFromProperties(properties as Record<string, string>)).toThrow(text);
  });

  test('a Java key store is refused with the command that converts it', () => {
    const file = join(folder, 'store.jks');
    writeFileSync(file, Buffer.from([0xfe, 0xed, 0xfe, 0xed]));
    expect(() =>
      clientOptionsFromProperties({ 'security.protocol': 'SSL', 'ssl.truststore.location': file }),
    ).toThrow('keytool');
  });
});
