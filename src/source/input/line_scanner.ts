/**
 * Finds a number and some fields in lines of JSON without making anything of the rest. It takes less than JSON.parse does,
 * never more: of what it is not sure (an escape in a name, deep nesting) it says so, and that line is for JSON.parse.
 *
 * The results are in columns, which are valid until the next scan. Get them again after each scan.
 */
export interface LineScanner {
  /** For each line its line feed's index; its complement (~) when JSON.parse has to decide about the line. */
  readonly feeds: Int32Array;
  /** For each line the value field's number. */
  readonly values: Float64Array;
  /** For each line, the text behind the number in the value field's string, such as a unit; from -1 when there is none. */
  readonly restFrom: Int32Array;
  readonly restTo: Int32Array;
  /** For each line, one after the other, where each field's value is; -1 when the line has no such field. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** Scans the next of the whole lines in bytes[from, to); returns how many, at least one. */
  scan(bytes: Uint8Array, from: number, to: number): number;
}
