import { describe, expect, test } from 'vitest';
import { startupProperties } from '../src/startup-properties.ts';
import { startupErrorLine } from '../src/startup-error.ts';

describe('startupProperties', () => {
  const nothing = { file: null, environment: {}, overrides: [] };

  test('without a file it is a single node on this machine with its data in ./data', () => {
    const properties = startupProperties(nothing);
    expect(properties.get('listeners')).toBe('PLAINTEXT://127.0.0.1:9092');
    expect(properties.get('log.dirs')).toBe('./data');
    expect(properties.get('offsets.topic.replication.factor')).toBe('1');
  });

  test('a file stands alone, the environment goes over it, the command line over both', () => {
    const properties = startupProperties({
      file: 'num.partitions=2\nlog.dirs=/file\nlog.segment.bytes=10000000\n',
      environment: { KAFKA_LOG_DIRS: '/environment', KAFKA_NUM_PARTITIONS: '3' },
      overrides: ['num.partitions=4'],
    });
    expect(Object.fromEntries(properties)).toEqual({
      'num.partitions': '4',
      'log.dirs': '/environment',
      'log.segment.bytes': '10000000',
    });
  });

  test('variables that name no property are left alone', () => {
    const environment = {
      KAFKA_HEAP_OPTS: '-Xmx1g',
      KAFKA_HOME: '/opt',
      KAFKA_BROKERS: 'x',
      OTHER_LOG_DIRS: '/x',
    };
    expect(startupProperties({ ...nothing, environment })).toEqual(startupProperties(nothing));
  });

  test('an override without "=" is refused', () => {
    expect(() => startupProperties({ ...nothing, overrides: ['nonsense'] })).toThrow(/"nonsense".*key=value/);
  });
});

describe('startupErrorLine', () => {
  const failure = (fields: object, message = 'failed\n    at somewhere'): Error =>
    Object.assign(new Error(message), fields);

  test.each([
    [
      failure({ code: 'EADDRINUSE', address: '127.0.0.1', port: 9092 }),
      'Port 9092 on 127.0.0.1 is already in use: stop the process that holds it, or choose another with --override listeners=PLAINTEXT://127.0.0.1:9192',
    ],
    [
      failure({ code: 'EACCES', port: 80 }),
      'No permission to listen on port 80: choose one above 1023 in "listeners"',
    ],
    [
      failure({ code: 'EMFILE', path: '/data/t-0/0.log' }),
      'Too many open files, at "/data/t-0/0.log": raise the limit (ulimit -n, LimitNOFILE of systemd) above one for each partition and connection',
    ],
    [failure({}, 'Bad value\nmore'), 'Bad value'],
    ['text', 'Could not start: text'],
  ])('%s', (error, line) => {
    expect(startupErrorLine(error)).toBe(line);
  });
});
