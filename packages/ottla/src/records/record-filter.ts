import type { FormattedRecord } from './record-format.ts';
import { nameAndValue, UsageError } from '../cluster/run-on-cluster.ts';

/** Which records are wanted; all of these have to hold. */
export interface FilterOptions {
  /** In key or value. */
  readonly grep?: string;
  readonly grepKey?: string;
  readonly grepValue?: string;
  /** `name=pattern`. */
  readonly grepHeader: readonly string[];
}

/** Makes a filter of regular expressions; null when all records are wanted. @throws UsageError for one that is none */
export function recordFilter(options: FilterOptions): ((record: FormattedRecord) => boolean) | null {
  const checks: ((record: FormattedRecord) => boolean)[] = [];
  const { grep, grepKey, grepValue } = options;
  if (grep !== undefined) {
    const pattern = patternOf(grep, '--grep');
    checks.push(({ keyBytes, valueBytes }) => matches(pattern, keyBytes) || matches(pattern, valueBytes));
  }
  if (grepKey !== undefined) {
    const pattern = patternOf(grepKey, '--grep-key');
    checks.push(({ keyBytes }) => keyBytes !== null && matches(pattern, keyBytes));
  }
  if (grepValue !== undefined) {
    const pattern = patternOf(grepValue, '--grep-value');
    checks.push(({ valueBytes }) => valueBytes !== null && matches(pattern, valueBytes));
  }
  for (const text of options.grepHeader) {
    const [name, source] = nameAndValue(text, '--grep-header');
    const pattern = patternOf(source, '--grep-header');
    checks.push(({ headers }) => headers.some(({ key, value }) => key === name && matches(pattern, value)));
  }
  return checks.length === 0 ? null : (record) => checks.every((check) => check(record));
}

function matches(pattern: RegExp, bytes: Buffer | null): boolean {
  return pattern.test(bytes?.toString() ?? '');
}

function patternOf(source: string, option: string): RegExp {
  try {
    return new RegExp(source);
  } catch (error) {
    throw new UsageError(`${option}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
