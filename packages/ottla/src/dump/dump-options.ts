import type { Disk } from '@ottla/platform';
import type { RowStream } from '../terminal/row-stream.ts';
import type { DecoderName } from './record-decoders.ts';

/** What a dump shows. */
export interface DumpSettings {
  readonly deepIteration: boolean;
  readonly printDataLog: boolean;
  /** Absent: by the topic of the folder. */
  readonly decoder?: DecoderName;
  /** Without offsets, times and sizes of records, and without control records. */
  readonly skipRecordMetadata: boolean;
  readonly indexSanityCheck: boolean;
  readonly verifyIndexOnly: boolean;
  /** Batches beyond so many bytes of a file are not read. */
  readonly maxBytes: number;
}

/** Where a dump reads from and writes to. */
export interface DumpContext {
  readonly disk: Disk;
  readonly out: RowStream;
  readonly settings: DumpSettings;
  /** Told of the bytes read, for those who wait. */
  readonly onBytes: (count: number) => void;
  /** Told of what is wrong with a file. */
  readonly onProblem: (path: string, problem: string) => void;
}
