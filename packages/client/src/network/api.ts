import type { MessageInput, MessageSchema } from '@ottla/protocol';

/** One API: request and response belong together. */
export interface Api<Req, Res> {
  /** Kafka's name: `Fetch`. */
  readonly name: string;
  readonly key: number;
  readonly request: MessageSchema<Req>;
  readonly response: MessageSchema<Res>;
  readonly minVersion: number;
  /** The highest version that is stable in the release the protocol was taken from. */
  readonly maxVersion: number;
}

/** A request's body, or how to make it for the version that the broker and the client agree on. */
export type RequestBody<Req> = MessageInput<Req> | ((version: number) => MessageInput<Req>);

/** Declares an API from its two messages. */
export function defineApi<Req, Res>(
  request: MessageSchema<Req>,
  response: MessageSchema<Res>,
): Api<Req, Res> {
  return {
    name: request.name.replace(/Request$/, ''),
    key: request.apiKey,
    request,
    response,
    minVersion: request.minVersion,
    maxVersion: request.latestVersionUnstable ? request.maxVersion - 1 : request.maxVersion,
  };
}
