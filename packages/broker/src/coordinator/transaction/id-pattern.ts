import { RE2JS } from 're2js';

/** Whether a whole transactional id matches. */
export type IdPattern = (transactionalId: string) => boolean;

/**
 * A pattern of transactional ids (KIP-1152), which has to match the whole id. RE2 as in Kafka: its time is linear in the
 * text, whatever the pattern. Throws for what is no expression.
 */
export function idPattern(pattern: string): IdPattern {
  const expression = RE2JS.compile(pattern);
  return (transactionalId) => expression.matches(transactionalId);
}
