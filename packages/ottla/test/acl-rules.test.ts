import { describe, expect, test } from 'vitest';
import { bindingsOf, filtersOf, removalsOf, type AclOptions } from '../src/commands/acl-rules.ts';

function options(given: Partial<AclOptions>): AclOptions & { readonly principal: readonly string[] } {
  return {
    timeout: 1000,
    topic: [],
    group: [],
    transactionalId: [],
    delegationToken: [],
    userPrincipal: [],
    allowPrincipal: [],
    denyPrincipal: [],
    allowHost: [],
    denyHost: [],
    operation: [],
    principal: [],
    ...given,
  };
}

/** A rule as one line: what, on what, for whom. */
function lines(given: Partial<AclOptions>): string[] {
  return bindingsOf(options(given)).map(
    (each) =>
      `${each.permission} ${each.operation} ${each.resourceType} ${each.patternType} ${each.resourceName} ${each.principal} ${each.host}`,
  );
}

describe('rules that acls add makes', () => {
  const ada = { allowPrincipal: ['User:ada'], topic: ['t'] };

  test.each<[string, Partial<AclOptions>, string[]]>([
    ['everything by default', ada, ['ALLOW ALL TOPIC LITERAL t User:ada *']],
    [
      'what a producer with transactions and idempotence needs',
      { ...ada, producer: true, idempotent: true, transactionalId: ['tx'] },
      [
        'ALLOW WRITE TOPIC LITERAL t User:ada *',
        'ALLOW DESCRIBE TOPIC LITERAL t User:ada *',
        'ALLOW CREATE TOPIC LITERAL t User:ada *',
        'ALLOW WRITE TRANSACTIONAL_ID LITERAL tx User:ada *',
        'ALLOW DESCRIBE TRANSACTIONAL_ID LITERAL tx User:ada *',
        'ALLOW IDEMPOTENT_WRITE CLUSTER LITERAL kafka-cluster User:ada *',
      ],
    ],
    [
      'what a consumer needs, by prefix and from one host',
      { ...ada, consumer: true, group: ['g'], resourcePatternType: 'prefixed', allowHost: ['10.0.0.1'] },
      [
        'ALLOW READ TOPIC PREFIXED t User:ada 10.0.0.1',
        'ALLOW DESCRIBE TOPIC PREFIXED t User:ada 10.0.0.1',
        'ALLOW READ GROUP PREFIXED g User:ada 10.0.0.1',
      ],
    ],
    [
      'denials beside what is allowed, operations in either spelling',
      { ...ada, denyPrincipal: ['User:eve'], operation: ['DescribeConfigs', 'ALTER_CONFIGS'] },
      [
        'ALLOW DESCRIBE_CONFIGS TOPIC LITERAL t User:ada *',
        'DENY DESCRIBE_CONFIGS TOPIC LITERAL t User:eve *',
        'ALLOW ALTER_CONFIGS TOPIC LITERAL t User:ada *',
        'DENY ALTER_CONFIGS TOPIC LITERAL t User:eve *',
      ],
    ],
  ])('%s', (_, given, expected) => {
    expect(lines(given)).toEqual(expected);
  });

  test.each<[Partial<AclOptions>, RegExp]>([
    [{ topic: ['t'] }, /^Nobody is named/],
    [{ allowPrincipal: ['User:ada'] }, /^No resource is named/],
    [{ ...ada, allowPrincipal: ['ada'] }, /write it as User:ada$/],
    [{ ...ada, operation: ['Fly'] }, /^Operation "Fly" is unknown/],
    [{ ...ada, operation: ['IdempotentWrite'] }, /^Operation IDEMPOTENT_WRITE is none of a TOPIC/],
    [{ ...ada, resourcePatternType: 'match' }, /only finds/],
    [{ ...ada, resourcePatternType: 'x' }, /^Pattern type "x" is none of/],
    [{ ...ada, consumer: true }, /^--consumer needs --topic and --group$/],
    [{ ...ada, producer: true, operation: ['Read'] }, /leave out --operation$/],
    [{ ...ada, producer: true, denyPrincipal: ['User:eve'] }, /only allow/],
  ])('%j is refused', (given, message) => {
    expect(() => lines(given)).toThrow(message);
  });
});

test('removal without principals finds all rules of the resource, with them only those that add makes', () => {
  expect(removalsOf(options({ topic: ['t'] }))).toEqual([
    { resourceType: 'TOPIC', resourceName: 't', patternType: 'LITERAL' },
  ]);
  expect(removalsOf(options({ topic: ['t'], allowPrincipal: ['User:ada'], operation: ['Read'] }))).toEqual([
    {
      resourceType: 'TOPIC',
      resourceName: 't',
      patternType: 'LITERAL',
      principal: 'User:ada',
      host: '*',
      permission: 'ALLOW',
      operation: 'READ',
    },
  ]);
  expect(() => removalsOf(options({ topic: ['t'], operation: ['Read'] }))).toThrow('Say whose');
});

test('a list without resources finds everything, with resources their literal names', () => {
  expect(filtersOf(options({}))).toEqual([{ patternType: 'ANY' }]);
  expect(filtersOf({ ...options({ topic: ['t'] }), principal: ['User:a', 'User:b'] })).toEqual(
    ['User:a', 'User:b'].map((principal) => ({
      resourceType: 'TOPIC',
      resourceName: 't',
      patternType: 'LITERAL',
      principal,
    })),
  );
});
