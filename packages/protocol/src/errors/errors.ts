import { ErrorCodes, RETRIABLE_CODES } from './error-codes.ts';

export type ErrorName = keyof typeof ErrorCodes;

const namesByCode = new Map<number, ErrorName>(
  Object.entries(ErrorCodes).map(([name, code]) => [code, name as ErrorName]),
);
const retriableCodes = new Set(RETRIABLE_CODES);

/** Kafka's name of an error code; UNKNOWN_SERVER_ERROR for a code that this release does not know. */
export function errorName(code: number): ErrorName {
  return namesByCode.get(code) ?? 'UNKNOWN_SERVER_ERROR';
}

/** Whether Kafka's clients send the request again after this error. */
export function isRetriable(code: number): boolean {
  return retriableCodes.has(code);
}
