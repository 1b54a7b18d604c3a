import type { TranscriptRequest } from './topic-requests.ts';

/** A request of a transcript. */
export function ask(apiKey: number, version: number, body: object): TranscriptRequest {
  return { apiKey, version, body: body as TranscriptRequest['body'] };
}
