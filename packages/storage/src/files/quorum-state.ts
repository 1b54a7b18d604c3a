/**
 * The file `quorum-state` of the metadata log: the newest epoch that this node knows. It is made durable before the first
 * record of an epoch is written, so that no epoch is ever used twice. Version 0 belongs to a static quorum
 * (`controller.quorum.voters`), version 1 to one whose voters stand in the log (KIP-853).
 */
export interface QuorumState {
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly dataVersion: 0 | 1;
}

/** Reads the file. Throws an Error with one line for the user when it is damaged. */
export function parseQuorumState(text: string, path: string): QuorumState {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Error(`Quorum state "${path}" is not JSON. Restore the file from a copy of the directory`);
  }
  const { leaderId, leaderEpoch, data_version: dataVersion } = (parsed ?? {}) as Record<string, unknown>;
  if (typeof leaderEpoch !== 'number' || !Number.isInteger(leaderEpoch) || leaderEpoch < 0) {
    throw new Error(
      `Quorum state "${path}" has no valid leaderEpoch. Restore the file from a copy of the directory`,
    );
  }
  return {
    leaderId: typeof leaderId === 'number' ? leaderId : -1,
    leaderEpoch,
    dataVersion: dataVersion === 1 ? 1 : 0,
  };
}

/** The file's text, key for key as Kafka writes it. */
export function formatQuorumState(state: QuorumState): string {
  const { leaderId, leaderEpoch } = state;
  if (state.dataVersion === 1) {
    return JSON.stringify({
      leaderId,
      leaderEpoch,
      votedId: -1,
      votedDirectoryId: 'AAAAAAAAAAAAAAAAAAAAAA',
      data_version: 1,
    });
  }
  return JSON.stringify({
    clusterId: '',
    leaderId,
    leaderEpoch,
    votedId: -1,
    appliedOffset: 0,
    currentVoters: [{ voterId: leaderId }],
    data_version: 0,
  });
}
