/** Buckets on each side of zero (OpenTelemetry's metrics SDK specification, "MaxSize"). */
const MOST_BUCKETS = 160;
const MAX_SCALE = 20;

/**
 * The values of one series in one interval, counted in buckets whose bounds are powers of 2^(2^-scale) (OTLP data
 * model, "Exponential histogram"). It begins with the finest scale and halves it whenever the values do not fit.
 */
export class ExponentialHistogram {
  count = 0;
  sum = 0;
  min = Infinity;
  max = -Infinity;
  zeroCount = 0;
  #scale = MAX_SCALE;
  #first = 0;
  #last = -1;
  /** The bucket with index i is at i modulo the length, which is a power of two. */
  #counts: Float64Array = new Float64Array(8);

  /** 0 while there is nothing but zeros. */
  get scale(): number {
    return this.buckets === 0 ? 0 : this.#scale;
  }

  /** The index of the lowest bucket. */
  get offset(): number {
    return this.buckets === 0 ? 0 : this.#first;
  }

  get buckets(): number {
    return this.#last - this.#first + 1;
  }

  /** The count of the bucket with index `offset + position`. */
  countAt(position: number): number {
    return this.#counts[this.#first + position & this.#counts.length - 1] ?? 0;
  }

  /** Counts one value, which must be finite and not negative. */
  add(value: number): void {
    this.count++;
    this.sum += value;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    if (value === 0) {
      this.zeroCount++;
      return;
    }
    let index = bucketIndex(value, this.#scale);
    const excess = this.#excess(index);
    if (excess > 0) {
      this.#downscale(excess);
      index = bucketIndex(value, this.#scale);
    }
    this.#include(index);
    const at = index & this.#counts.length - 1;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  /** Forgets all values; the next interval begins. */
  clear(): void {
    this.count = 0;
    this.sum = 0;
    this.min = Infinity;
    this.max = -Infinity;
    this.zeroCount = 0;
    this.#scale = MAX_SCALE;
    this.#first = 0;
    this.#last = -1;
    this.#counts.fill(0);
  }

  /** How often the scale must be halved until the buckets and this index fit. */
  #excess(index: number): number {
    if (this.buckets === 0) return 0;
    let low = Math.min(this.#first, index);
    let high = Math.max(this.#last, index);
    let halvings = 0;
    for (; high - low >= MOST_BUCKETS; halvings++) {
      low >>= 1;
      high >>= 1;
    }
    return halvings;
  }

  /** Merges neighbours: 2^halvings buckets become one. */
  #downscale(halvings: number): void {
    const counts = new Float64Array(this.#counts.length);
    const mask = counts.length - 1;
    for (let index = this.#first; index <= this.#last; index++) {
      const at = (index >> halvings) & mask;
      counts[at] = (counts[at] ?? 0) + (this.#counts[index & mask] ?? 0);
    }
    this.#counts = counts;
    this.#first >>= halvings;
    this.#last >>= halvings;
    this.#scale -= halvings;
  }

  #include(index: number): void {
    const first = this.buckets === 0 ? index : Math.min(this.#first, index);
    const last = this.buckets === 0 ? index : Math.max(this.#last, index);
    if (last - first >= this.#counts.length) this.#grow(last - first + 1);
    this.#first = first;
    this.#last = last;
  }

  #grow(least: number): void {
    const counts = new Float64Array(2 ** Math.ceil(Math.log2(least)));
    for (let index = this.#first; index <= this.#last; index++) {
      counts[index & counts.length - 1] = this.#counts[index & this.#counts.length - 1] ?? 0;
    }
    this.#counts = counts;
  }
}

const MIN_NORMAL = 2 ** -1022;
const MIN_NORMAL_EXPONENT = -1022;

const view = new DataView(new ArrayBuffer(8));

/**
 * Index of the bucket of a positive value: base^index < value <= base^(index + 1). As the data model's appendix advises, by the
 * exponent's bits for a scale of 0 or less, by the logarithm above, with powers of two exact; subnormal values are in
 * the bucket below the least normal one.
 */
export function bucketIndex(value: number, scale: number): number {
  const exact = isPowerOfTwo(value) ? 1 : 0;
  if (scale <= 0) {
    const exponent = value < MIN_NORMAL ? MIN_NORMAL_EXPONENT - 1 : exponentOf(value) - exact;
    return exponent >> -scale;
  }
  if (value < MIN_NORMAL) return (MIN_NORMAL_EXPONENT << scale) - 1;
  if (exact) return (exponentOf(value) << scale) - 1;
  const index = Math.floor(Math.log(value) * (Math.LOG2E * 2 ** scale));
  return Math.min(index, ((MAX_EXPONENT + 1) << scale) - 1);
}

const MAX_EXPONENT = 1023;

function exponentOf(value: number): number {
  view.setFloat64(0, value);
  return (view.getUint32(0) >>> 20 & 0x7ff) - 1023;
}

function isPowerOfTwo(value: number): boolean {
  view.setFloat64(0, value);
  return (view.getUint32(0) & 0xfffff) === 0 && view.getUint32(4) === 0;
}
