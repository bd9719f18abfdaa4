// Logarithm, exponential and the normal distribution's quantile out of + - * / and square root alone. IEEE 754 fixes
// their results to the last bit, while ECMAScript leaves Math.log, Math.exp and Math.cos to the implementation, and V8 has
// changed its own before. So a seed gives the same numbers on every machine and Deno; in one number of ten they differ
// from what Math.log and Math.exp make of it here, in the last place.

/** ln 2 in two parts (as fdlibm splits it): multiples of the first are exact for every exponent of a double. */
const LN2_HIGH = 6.93147180369123816490e-01;
const LN2_LOW = 1.90821492927058770002e-10;

/** Natural logarithm of a positive finite number. */
export function ln(x: number): number {
  let exponent = 0;
  let mantissa = x;
  while (mantissa >= 2 ** 32) [mantissa, exponent] = [mantissa * 2 ** -32, exponent + 32];
  while (mantissa < 2 ** -32) [mantissa, exponent] = [mantissa * 2 ** 32, exponent - 32];
  while (mantissa > Math.SQRT2) [mantissa, exponent] = [mantissa * 0.5, exponent + 1];
  while (mantissa < Math.SQRT1_2) [mantissa, exponent] = [mantissa * 2, exponent - 1];
  // ln m = 2 artanh((m - 1) / (m + 1)); for m in [√½, √2] twelve terms of the series leave less than 1e-19.
  const s = (mantissa - 1) / (mantissa + 1);
  const square = s * s;
  let sum = 0;
  for (let odd = 23; odd >= 3; odd -= 2) sum = (sum + 1 / odd) * square;
  return exponent * LN2_HIGH + (2 * s + (2 * s * sum + exponent * LN2_LOW));
}

/** e to the power of x; 0 and Infinity where a double ends. */
export function exp(x: number): number {
  if (x > 709.79) return Infinity;
  if (x < -745.14) return 0;
  const halvings = Math.round(x / Math.LN2);
  const rest = (x - halvings * LN2_HIGH) - halvings * LN2_LOW;
  // |rest| ≤ ln 2 / 2: what comes after the term x^14/14! is below 1e-19. Written out, since a loop takes longer.
  let sum = 1 + rest / 14;
  sum = 1 + sum * rest / 13;
  sum = 1 + sum * rest / 12;
  sum = 1 + sum * rest / 11;
  sum = 1 + sum * rest / 10;
  sum = 1 + sum * rest / 9;
  sum = 1 + sum * rest / 8;
  sum = 1 + sum * rest / 7;
  sum = 1 + sum * rest / 6;
  sum = 1 + sum * rest / 5;
  sum = 1 + sum * rest / 4;
  sum = 1 + sum * rest / 3;
  sum = 1 + sum * rest / 2;
  sum = 1 + sum * rest;
  // In two steps, since 2 ** 1024 is not a double, and neither is half of the smallest one.
  const half = Math.trunc(halvings / 2);
  return sum * powerOf2(half) * powerOf2(halvings - half);
}

/** The powers of 2 that were asked for before, by exponent + 600; the others are 0. */
const POWERS = new Float64Array(1201);

function powerOf2(exponent: number): number {
  return POWERS[exponent + 600] || newPowerOf2(exponent);
}

/** Exact, where `**` is left to the implementation; |exponent| ≤ 600. */
function newPowerOf2(exponent: number): number {
  let power = 1;
  const base = exponent < 0 ? 0.5 : 2;
  for (let n = Math.abs(exponent), square = base; n > 0; n = Math.floor(n / 2), square *= square) {
    if (n % 2 === 1) power *= square;
  }
  POWERS[exponent + 600] = power;
  return power;
}

/** Coefficients of numerator and denominator, the highest power first. */
type Rational = readonly [numerator: Float64Array, denominator: Float64Array];

const CENTRE: Rational = [
  Float64Array.of(
    2.5090809287301226727e3,
    3.3430575583588128105e4,
    6.7265770927008700853e4,
    4.5921953931549871457e4,
    1.3731693765509461125e4,
    1.9715909503065514427e3,
    1.3314166789178437745e2,
    3.3871328727963666080e0,
  ),
  Float64Array.of(
    5.2264952788528545610e3,
    2.8729085735721942674e4,
    3.9307895800092710610e4,
    2.1213794301586595867e4,
    5.3941960214247511077e3,
    6.8718700749205790830e2,
    4.2313330701600911252e1,
    1,
  ),
];
const FLANK: Rational = [
  Float64Array.of(
    7.74545014278341407640e-4,
    2.27238449892691845833e-2,
    2.41780725177450611770e-1,
    1.27045825245236838258e0,
    3.64784832476320460504e0,
    5.76949722146069140550e0,
    4.63033784615654529590e0,
    1.42343711074968357734e0,
  ),
  Float64Array.of(
    1.05075007164441684324e-9,
    5.47593808499534494600e-4,
    1.51986665636164571966e-2,
    1.48103976427480074590e-1,
    6.89767334985100004550e-1,
    1.67638483018380384940e0,
    2.05319162663775882187e0,
    1,
  ),
];
const TAIL: Rational = [
  Float64Array.of(
    2.01033439929228813265e-7,
    2.71155556874348757815e-5,
    1.24266094738807843860e-3,
    2.65321895265761230930e-2,
    2.96560571828504891230e-1,
    1.78482653991729133580e0,
    5.46378491116411436990e0,
    6.65790464350110377720e0,
  ),
  Float64Array.of(
    2.04426310338993978564e-15,
    1.42151175831644588870e-7,
    1.84631831751005468180e-5,
    7.86869131145613259100e-4,
    1.48753612908506148525e-2,
    1.36929880922735805310e-1,
    5.99832206555887937690e-1,
    1,
  ),
];

/**
 * The standard normal distribution's quantile for p in (0, 1): algorithm AS 241, PPND16 (M. J. Wichura, Applied
 * Statistics 37, 1988, p. 477), to about 1 part in 10^16.
 */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) return q * rational(CENTRE, 0.180625 - q * q);
  const r = Math.sqrt(-ln(q < 0 ? p : 1 - p));
  const z = r <= 5 ? rational(FLANK, r - 1.6) : rational(TAIL, r - 5);
  return q < 0 ? -z : z;
}

function rational([numerator, denominator]: Rational, x: number): number {
  return horner(numerator, x) / horner(denominator, x);
}

function horner(coefficients: Float64Array, x: number): number {
  let sum = 0;
  // Not for-of, which would make an object of every number.
  for (let i = 0; i < coefficients.length; i++) sum = sum * x + (coefficients[i] ?? 0);
  return sum;
}
