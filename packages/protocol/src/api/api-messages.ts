import { apiMessages } from '../messages/api-table.ts';
import type { MessageSchema } from '../schema/message-schema.ts';

/** One API: its name without `Request` and `Response`, and its two messages. */
export interface ApiMessages {
  readonly name: string;
  readonly request: MessageSchema<unknown>;
  readonly response: MessageSchema<unknown>;
}

const byKey: Readonly<Record<number, ApiMessages | undefined>> = apiMessages;

/** The messages of an API; undefined when no API has this key. */
export function messagesByApiKey(apiKey: number): ApiMessages | undefined {
  return byKey[apiKey];
}
