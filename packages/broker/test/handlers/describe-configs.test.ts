import { ErrorCodes } from '@ottla/protocol';
import type { DescribeConfigsResponse } from '@ottla/protocol';
import { expect, test } from 'vitest';
import { BrokerConfig } from '../../src/config/broker-config.ts';
import { describeConfigsHandler } from '../../src/handlers/describe-configs.ts';
import type { RequestContext } from '../../src/handlers/handler.ts';
import type { MetadataImage } from '../../src/metadata/image.ts';

const image = {
  topics: { byName: new Map(), byId: new Map() },
  configs: { get: () => new Map<string, string>(), resources: () => [] },
} as unknown as MetadataImage;

const config = BrokerConfig.parse(new Map());
const handler = describeConfigsHandler({
  metadata: { current: () => image, subscribe: () => {} },
  config: () => config,
});

function describeResources(
  resources: readonly { type: number; name: string; keys?: string[] }[],
): DescribeConfigsResponse {
  const request = {
    resources: resources.map(({ type, name, keys }) => ({
      resourceType: type,
      resourceName: name,
      configurationKeys: keys ?? null,
    })),
    includeSynonyms: true,
    includeDocumentation: true,
  };
  return handler.handle(request, { apiVersion: 4 } as RequestContext) as DescribeConfigsResponse;
}

test('one unknown resource type refuses the whole request', () => {
  const { results } = describeResources([
    { type: 4, name: '1' },
    { type: 3, name: 'x' },
  ]);
  expect(results.map(({ errorCode, configs }) => [errorCode, configs.length])).toEqual([
    [ErrorCodes.INVALID_REQUEST, 0],
    [ErrorCodes.INVALID_REQUEST, 0],
  ]);
});

test('documentation is there when it is asked for', () => {
  const { results } = describeResources([{ type: 4, name: '1', keys: ['log.dirs'] }]);
  expect(results[0]?.configs[0]?.documentation).toContain('Directories that hold the partitions');
});

test('a request for a great many brokers is answered within bounds', () => {
  const { results } = describeResources(Array.from({ length: 100_000 }, () => ({ type: 4, name: '1' })));
  const keyCount = results.reduce((sum, { configs }) => sum + configs.length, 0);
  expect(keyCount).toBeLessThan(501_000);
  expect(results.at(-1)).toMatchObject({
    errorCode: ErrorCodes.INVALID_REQUEST,
    errorMessage:
      'The resources of the request have more than 500000 keys: ask for fewer resources at a time',
  });
});
