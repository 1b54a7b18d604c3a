import type { Disk } from '@ottla/platform';
import { ControlRecordType, controlRecordType, openRecords, type BatchSummary } from '@ottla/protocol';
import { parseSnapshotName, snapshotName } from '../files/metadata-files.ts';
import { parseQuorumState } from '../files/quorum-state.ts';
import { scanSegment } from '../segments/batch-scanner.ts';
import { recordsFault } from './batch-faults.ts';
import { contentProblem, type ProblemList } from './log-problem.ts';

const QUORUM_STATE_FILE = 'quorum-state';

/** Where the files are, and where findings go. */
export interface MetadataCheckOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly problems: ProblemList;
  readonly onBytes: (count: number) => void;
}

/**
 * Checks what the log of the metadata has beside its segments: the snapshots, from the newest of which a start begins, and
 * the state of the quorum.
 */
export async function checkMetadataFiles(options: MetadataCheckOptions, beginOffset: number): Promise<void> {
  const { disk, folder, problems } = options;
  const names = disk.listSync(folder);
  const snapshots = names.map(parseSnapshotName).filter((id) => id !== null);
  for (const id of snapshots) await checkSnapshot(options, `${folder}/${snapshotName(id)}`);
  const snapshotEnd = snapshots.at(-1)?.endOffset ?? 0;
  if (beginOffset > snapshotEnd)
    problems.problem(
      'metadata-log',
      { offset: snapshotEnd },
      {
        problem: `The log begins with offset ${beginOffset}, the newest snapshot ends with ${snapshotEnd}`,
        remedy: 'A start refuses the log. Restore the folder from a copy',
      },
    );
  if (names.includes(QUORUM_STATE_FILE)) checkQuorumState(options);
}

function checkQuorumState({ disk, folder, problems }: MetadataCheckOptions): void {
  const file = `${folder}/${QUORUM_STATE_FILE}`;
  try {
    parseQuorumState(disk.readFileSync(file).toString(), file);
  } catch (error) {
    const text = { problem: contentProblem(error), remedy: 'A start refuses the log' };
    problems.problem('metadata-log', { file }, text);
  }
}

/** A snapshot is one file of batches between a header and a footer. */
async function checkSnapshot(options: MetadataCheckOptions, path: string): Promise<void> {
  const { disk, problems, onBytes } = options;
  const tell = (position: number, problem: string): void =>
    problems.problem(
      'metadata-log',
      { file: path, position },
      {
        problem: `The snapshot of the metadata is damaged: ${problem}`,
        remedy:
          'A start refuses the log. Restore the file from a copy, or remove it if an older snapshot and the whole log ' +
          'behind it are there',
      },
    );
  const file = disk.openSync(path, 'read');
  const size = file.sizeSync();
  let nextOffset = 0;
  let isComplete = false;
  let fault: { position: number; reason: string } | null = null;
  try {
    const bad = await scanSegment(
      { read: (target, length, position) => file.read(target, 0, length, position) },
      {
        position: 0,
        size,
        checkCrc: true,
        onChunk: async (bytes) => onBytes(bytes),
        visit: ({ batch, buffer, filePosition }) => {
          const reason =
            batch.baseOffset === nextOffset
              ? recordsFault(buffer, batch)?.problem
              : `offset ${batch.baseOffset} follows ${nextOffset - 1}`;
          if (reason !== undefined) fault = { position: filePosition, reason };
          else isComplete ||= batch.isControl && hasFooter(buffer, batch);
          nextOffset = batch.lastOffset + 1;
          return reason === undefined;
        },
      },
    );
    fault = bad ?? fault;
  } finally {
    file.closeSync();
  }
  if (fault !== null) tell(fault.position, fault.reason);
  else if (!isComplete) tell(size, 'its footer is missing');
}

function hasFooter(buffer: Buffer, batch: BatchSummary): boolean {
  const reader = openRecords(buffer, batch);
  while (reader.next()) if (controlRecordType(reader.key()) === ControlRecordType.snapshotFooter) return true;
  return false;
}
