import { UsageError } from "../platform/errors.ts";

/** Point up to which a source had been read when requests were recorded. Only the source knows what its value means. */
export interface Checkpoint {
  /** Identity of the source: the absolute path of a file. */
  readonly id: string;
  /** Anything that JSON can hold. */
  readonly value: unknown;
}

/** Checkpoint that an earlier process kept in a spool. */
export interface KeptCheckpoint extends Checkpoint {
  /** Greater than that of every earlier checkpoint. */
  readonly sequence: number;
  /** The file that holds it, as people are shown it. */
  readonly file: string;
}

/** Error for a checkpoint that cannot be read: without it, everything would be sent again. */
export function unreadableCheckpoint(file: string, reason: string): UsageError {
  return new UsageError(
    `Cannot read "${file}", which holds the position of --follow (--spool): ${reason}. ` +
      "Restore that file from a backup, or remove it to start as if --follow had never read its file",
  );
}
