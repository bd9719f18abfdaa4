/** After so many entries it is seen whether remembering pays. */
const FIRST_ENTRIES = 8192;
/** If not, nothing is added while so many times as much is not found. */
const PAUSE = 64;
/** Beyond these everything is forgotten: an endless input runs in constant memory. */
const MOST_ENTRIES = 65_536;
const MOST_BYTES = 2 ** 24;
/** Longer ones are rare, and would soon fill it. */
const MOST_ENTRY_BYTES = 4096;

/**
 * Remembers what a list of byte ranges stood for: a line of a log repeats the attributes of one before it byte for byte,
 * and need not be decoded again. Equal bytes always mean equal things; the hash only finds them. Where most of what comes
 * is new, as identifiers are, it soon remembers no more of it, and tries again later.
 */
export class RangeIndex<T> {
  readonly #ranges: number;
  #slots = new Int32Array(1024);
  #hashes: Int32Array = new Int32Array(512);
  #starts: Int32Array = new Int32Array(512);
  /** For each entry, the lengths of its ranges. */
  #lengths: Int32Array;
  #heap = new Uint8Array(2 ** 16);
  #view = new DataView(this.#heap.buffer);
  #used = 0;
  #values: T[] = [];
  #mostEntries = FIRST_ENTRIES;
  /** How often something was found since that was weighed. */
  #hits = 0;
  /** Number of further misses that add no entry. */
  #pause = 0;

  /** `ranges` is the number of ranges per entry. */
  constructor(ranges: number) {
    this.#ranges = ranges;
    this.#lengths = new Int32Array(512 * ranges);
  }

  /**
   * Finds the value added for these ranges of `view`, which `from` and `to` hold from place `at` on; a range that is
   * missing goes from -1 to -1.
   */
  find(view: DataView, from: Int32Array, to: Int32Array, at = 0): T | undefined {
    const hash = this.#hash(view, from, to, at);
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask;; slot = (slot + 1) & mask) {
      const entry = (this.#slots[slot] ?? 0) - 1;
      if (entry < 0) return undefined;
      if (this.#hashes[entry] === hash && this.#same(entry, view, from, to, at)) {
        this.#hits++;
        return this.#values[entry];
      }
    }
  }

  /** Whether `add` adds, now. */
  get learns(): boolean {
    return this.#pause <= 1;
  }

  /** Only for ranges that `find` did not find. */
  add(view: DataView, from: Int32Array, to: Int32Array, value: T, at = 0): void {
    let bytes = 0;
    for (let k = 0; k < this.#ranges; k++) bytes += (to[at + k] ?? 0) - (from[at + k] ?? 0);
    if (bytes > MOST_ENTRY_BYTES) return;
    if (this.#pause > 1) {
      this.#pause--;
      return;
    }
    if (this.#values.length >= this.#mostEntries || this.#used + bytes > MOST_BYTES) {
      if (!this.#goesOn()) return;
    }
    this.#makeRoom(bytes);
    const entry = this.#values.length;
    this.#values.push(value);
    this.#starts[entry] = this.#used;
    for (let k = 0; k < this.#ranges; k++) {
      const start = from[at + k] ?? 0;
      const length = (to[at + k] ?? 0) - start;
      this.#lengths[entry * this.#ranges + k] = start < 0 ? -1 : length;
      if (start < 0) continue;
      this.#heap.set(new Uint8Array(view.buffer, view.byteOffset + start, length), this.#used);
      this.#used += length;
    }
    const hash = this.#hash(view, from, to, at);
    this.#hashes[entry] = hash;
    this.#occupy(hash, entry);
  }

  /** Four bytes at a time, as in MurmurHash2 but for its last mixing. */
  #hash(view: DataView, from: Int32Array, to: Int32Array, at: number): number {
    let hash = 0;
    for (let k = 0; k < this.#ranges; k++) {
      let i = from[at + k] ?? 0;
      const end = to[at + k] ?? 0;
      hash = Math.imul(hash ^ (end - i + (i >> 31)), 0x9e3779b1);
      for (; i + 4 <= end; i += 4) {
        hash = Math.imul(hash ^ view.getInt32(i, true), 0x9e3779b1);
        hash ^= hash >>> 15;
      }
      for (; i < end; i++) {
        hash = Math.imul(hash ^ view.getUint8(i), 0x9e3779b1);
        hash ^= hash >>> 15;
      }
    }
    return hash;
  }

  #same(entry: number, view: DataView, from: Int32Array, to: Int32Array, at: number): boolean {
    let stored = this.#starts[entry] ?? 0;
    for (let k = 0; k < this.#ranges; k++) {
      let i = from[at + k] ?? 0;
      const end = to[at + k] ?? 0;
      if (this.#lengths[entry * this.#ranges + k] !== (i < 0 ? -1 : end - i)) return false;
      for (; i + 4 <= end; i += 4, stored += 4) {
        if (view.getInt32(i, true) !== this.#view.getInt32(stored, true)) return false;
      }
      for (; i < end; i++, stored++) {
        if (view.getUint8(i) !== this.#view.getUint8(stored)) return false;
      }
    }
    return true;
  }

  #occupy(hash: number, entry: number): void {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = entry + 1;
  }

  /** Makes room when the index is full, or pauses. */
  #goesOn(): boolean {
    const pays = this.#hits >= this.#values.length;
    const paused = this.#pause > 0;
    this.#hits = 0;
    this.#pause = 0;
    if (pays && this.#mostEntries < MOST_ENTRIES && this.#used < MOST_BYTES / 2) {
      this.#mostEntries *= 2;
    } else if (pays || paused) this.#forget();
    else this.#pause = PAUSE * this.#mostEntries;
    return this.#pause === 0;
  }

  #forget(): void {
    this.#slots.fill(0);
    this.#values = [];
    this.#used = 0;
    this.#mostEntries = FIRST_ENTRIES;
  }

  #makeRoom(bytes: number): void {
    const entries = this.#values.length;
    if (entries === this.#hashes.length) {
      this.#hashes = grown(this.#hashes);
      this.#starts = grown(this.#starts);
      this.#lengths = grown(this.#lengths);
      this.#slots = new Int32Array(2 * this.#slots.length);
      for (let entry = 0; entry < entries; entry++) this.#occupy(this.#hashes[entry] ?? 0, entry);
    }
    if (this.#used + bytes > this.#heap.length) {
      const heap = new Uint8Array(2 * this.#heap.length);
      heap.set(this.#heap);
      this.#heap = heap;
      this.#view = new DataView(heap.buffer);
    }
  }
}

function grown(array: Int32Array): Int32Array {
  const twice = new Int32Array(2 * array.length);
  twice.set(array);
  return twice;
}
