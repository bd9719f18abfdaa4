import assert from "node:assert/strict";
import { exp, ln, normalQuantile } from "../../../src/source/generate/elementary.ts";
import { seededRandom } from "../../../src/source/generate/random.ts";
import { normalCdf } from "../input/statistics.ts";

/** In units of the last place. */
function distance(is: number, shouldBe: number): number {
  return is === shouldBe ? 0 : Math.abs(is - shouldBe) / Math.abs(shouldBe) * 2 ** 52;
}

Deno.test("ln() is within four units of the last place of Math.log", () => {
  const random = seededRandom("ln");
  for (let i = 0; i < 20_000; i++) {
    const x = Math.exp((random() - 0.5) * 1400);
    assert.ok(distance(ln(x), Math.log(x)) <= 4, String(x));
    const near1 = 1 + (random() - 0.5) * 1e-2;
    assert.ok(distance(ln(near1), Math.log(near1)) <= 4, String(near1));
  }
  for (
    const x of [1, 2, 0.5, Number.MIN_VALUE, Number.MAX_VALUE, 2 ** -1022, 2 ** -53, Math.SQRT2]
  ) {
    assert.ok(distance(ln(x), Math.log(x)) <= 4, String(x));
  }
});

Deno.test("exp() is within four units of the last place of Math.exp", () => {
  const random = seededRandom("exp");
  for (let i = 0; i < 20_000; i++) {
    const x = (random() - 0.5) * 1400;
    assert.ok(distance(exp(x), Math.exp(x)) <= 4, String(x));
  }
  for (const x of [0, -0, 1, -1, 709.78, -708, 0.34657359, -0.34657359]) {
    assert.ok(distance(exp(x), Math.exp(x)) <= 4, String(x));
  }
  assert.equal(exp(710), Infinity);
  assert.equal(exp(-746), 0);
  assert.equal(exp(-745), Number.MIN_VALUE);
});

Deno.test("normalQuantile() undoes the normal distribution function", () => {
  // Published values, to 16 digits.
  assert.ok(Math.abs(normalQuantile(0.975) - 1.9599639845400545) < 4e-16 * 4);
  assert.ok(Math.abs(normalQuantile(0.99) - 2.3263478740408408) < 4e-16 * 4);
  assert.ok(Math.abs(normalQuantile(1e-20) + 9.262340089798408) < 1e-14);
  assert.equal(normalQuantile(0.5), 0);
  const random = seededRandom("quantile");
  for (let i = 0; i < 5000; i++) {
    const p = random();
    assert.ok(Math.abs(normalCdf(normalQuantile(p)) - p) < 1e-14, String(p));
  }
});

Deno.test("elementary functions give these numbers on every machine", () => {
  assert.deepEqual(GOLDEN.map(([x]) => [x, ln(x), exp(x), normalQuantile(x)]), GOLDEN);
});

const GOLDEN: readonly (readonly [x: number, ln: number, exp: number, quantile: number])[] = [
  [1e-9, -20.72326583694641, 1.000000001, -5.9978070150076865],
  [0.0123, -4.398156016603766, 1.0123759561005452, -2.247626755795138],
  [0.3, -1.2039728043259361, 1.3498588075760032, -0.5244005127080407],
  [0.77, -0.2613647641344075, 2.159766253784915, 0.7388468491852137],
  [0.999, -0.0010005003335835344, 2.715564905318567, 3.090232306167813],
];
