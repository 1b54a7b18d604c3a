import { ApiKeys } from '@ottla/protocol';
import { ask } from './ask.ts';
import type { TranscriptRequest } from './topic-requests.ts';

/** No voter has it. */
export const OTHER_DIRECTORY_ID = 'abcdefghijklmnopqrstuQ';

interface VoterListener {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** Makes requests that add voter 2, reached by the listeners; `fields` go over the request's own. */
export function addVoterBy(
  listeners: readonly VoterListener[],
): (fields?: object, version?: number) => TranscriptRequest {
  return (fields = {}, version = 1) =>
    ask(ApiKeys.AddRaftVoter, version, {
      clusterId: null,
      timeoutMs: 1000,
      voterId: 2,
      voterDirectoryId: OTHER_DIRECTORY_ID,
      listeners,
      ...fields,
    });
}

/** Makes requests that remove voter 1 with the directory id; `fields` go over the request's own. */
export function removeVoterOf(voterDirectoryId: string): (fields?: object) => TranscriptRequest {
  return (fields = {}) =>
    ask(ApiKeys.RemoveRaftVoter, 0, { clusterId: null, voterId: 1, voterDirectoryId, ...fields });
}
