import { ByteNumber } from "./byte_number.ts";
import { WASM } from "./json_scanner_wasm.ts";
import type { LineScanner } from "./line_scanner.ts";

/** Maximum number of lines that are scanned at once. */
const MOST_LINES = 2048;

/** Bytes of memory behind the lines: the scanner loads sixteen where it needs fewer. */
const SLACK = 64;

const PAGE = 2 ** 16;

/** A name's address and length, the next field of that name or -1, and 1 if a line has to have it. */
const NAME_SIZE = 16;

/** Exports of wasm/json_scanner.ts. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly longs: WebAssembly.Global;
  start(): number;
  setNames(count: number, table: number, value: number, length: number, needed: number): void;
  setColumns(lines: number, ...addresses: readonly number[]): void;
  scan(at: number, end: number, index: number): number;
}

/** A module of one function that makes a vector: valid where the processor and V8 have SIMD, and nowhere else. */
const NEEDS_SIMD = "AGFzbQEAAAABBQFgAAF7AwIBAAoKAQgAQQD9D/1iCw==";

/** Compiled once. */
let compiled: WebAssembly.Module | undefined;

/**
 * Makes a scanner that finds what a JsonScanner does, many lines at a time; undefined where it cannot run: without
 * WebAssembly, without SIMD, with too little memory. Throws when `wasm`, the module in base64, is broken.
 */
export function wasmScanner(
  valueField: string,
  fields: readonly string[],
  wasm = WASM,
): LineScanner | undefined {
  if (typeof WebAssembly === "undefined") return undefined;
  if (!WebAssembly.validate(Uint8Array.fromBase64(NEEDS_SIMD))) return undefined;
  const module = wasm === WASM
    ? compiled ??= new WebAssembly.Module(Uint8Array.fromBase64(wasm))
    : new WebAssembly.Module(Uint8Array.fromBase64(wasm));
  try {
    return new WasmScanner(module, valueField, fields);
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined; // too little memory
    throw thrown;
  }
}

class WasmScanner implements LineScanner {
  feeds: Int32Array = new Int32Array();
  values: Float64Array = new Float64Array();
  restFrom: Int32Array = new Int32Array();
  restTo: Int32Array = new Int32Array();
  from: Int32Array = new Int32Array();
  to: Int32Array = new Int32Array();
  /** Pairs of a line and the index of its number, which takes more than the scanner knows. */
  #long: Int32Array = new Int32Array();
  #memory: Uint8Array = new Uint8Array();
  readonly #number = new ByteNumber();
  readonly #exports: Exports;
  readonly #columns: readonly number[];
  readonly #fields: number;
  /** Where the lines go. */
  readonly #lines: number;

  constructor(module: WebAssembly.Module, valueField: string, fields: readonly string[]) {
    // The exports of a module have no types; this one is compiled from the source that Exports describes.
    const exports = new WebAssembly.Instance(module).exports as unknown as Exports;
    this.#exports = exports;
    this.#fields = fields.length;
    const encoder = new TextEncoder();
    const names = [valueField, ...fields].map((name) => encoder.encode(name));
    let end = exports.start();
    /** Reserves that many bytes, with room behind them, and returns their address. */
    const place = (bytes: number) => {
      const at = (end + 15) & ~15;
      end = at + bytes + 16;
      return at;
    };
    const table = place(fields.length * NAME_SIZE);
    const addresses = names.map((name) => place(name.length));
    const cells = MOST_LINES * fields.length;
    this.#columns = [
      MOST_LINES,
      2 * MOST_LINES,
      MOST_LINES,
      MOST_LINES,
      cells,
      cells,
      2 * MOST_LINES,
    ]
      .map((count) => place(4 * count));
    this.#lines = place(0);
    this.#makeRoom(0);
    const view = new DataView(exports.memory.buffer);
    for (const [k, name] of names.entries()) this.#memory.set(name, addresses[k]);
    for (const [k, name] of fields.entries()) {
      const entry = table + k * NAME_SIZE;
      view.setInt32(entry, addresses[k + 1] ?? 0, true);
      view.setInt32(entry + 4, names[k + 1]?.length ?? 0, true);
      view.setInt32(entry + 8, fields.indexOf(name, k + 1), true);
      view.setInt32(entry + 12, name.includes(".") ? 1 : 0, true);
    }
    const needed = fields.some((name) => name.includes(".")) ? 1 : 0;
    exports.setNames(fields.length, table, addresses[0] ?? 0, names[0]?.length ?? 0, needed);
    exports.setColumns(MOST_LINES, ...this.#columns);
  }

  scan(bytes: Uint8Array, from: number, to: number): number {
    const length = to - from;
    if (this.#lines + length + SLACK > this.#memory.length) this.#makeRoom(length);
    this.#memory.set(bytes.subarray(from, to), this.#lines);
    const lines = this.#exports.scan(this.#lines, this.#lines + length, from);
    const longs: number = this.#exports.longs.value;
    for (let j = 0; j < longs; j++) {
      this.#number.read(bytes, this.#long[2 * j + 1] ?? 0);
      this.values[this.#long[2 * j] ?? 0] = this.#number.value;
    }
    return lines;
  }

  /** Memory for lines of so many bytes, and the columns in it. */
  #makeRoom(length: number): void {
    const { memory } = this.#exports;
    const missing = this.#lines + length + SLACK - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
    const { buffer } = memory;
    const [feeds = 0, values = 0, restFrom = 0, restTo = 0, from = 0, to = 0, long = 0] =
      this.#columns;
    const cells = MOST_LINES * this.#fields;
    this.#memory = new Uint8Array(buffer);
    this.feeds = new Int32Array(buffer, feeds, MOST_LINES);
    this.values = new Float64Array(buffer, values, MOST_LINES);
    this.restFrom = new Int32Array(buffer, restFrom, MOST_LINES);
    this.restTo = new Int32Array(buffer, restTo, MOST_LINES);
    this.from = new Int32Array(buffer, from, cells);
    this.to = new Int32Array(buffer, to, cells);
    this.#long = new Int32Array(buffer, long, 2 * MOST_LINES);
  }
}
