import fc from "fast-check";
import type { Attributes, Measurement } from "../../src/aggregate/measurement.ts";

/** The same random data in every run. */
export const SEED = { seed: 20260131 } as const;

export const BOUNDS = [0, 5e-324, 0.005, 5, 10, 25.5, 100, 1000, 1e300] as const;

/** Values on the bounds and right beside them, 0, subnormal, huge, and any other. */
export const value: fc.Arbitrary<number> = fc.oneof(
  { weight: 3, arbitrary: fc.double({ min: 0, max: 2000, noNaN: true }) },
  { weight: 2, arbitrary: fc.constantFrom(...BOUNDS) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(-0, 4.999999999999999, 5.000000000000001, 10.000000000000002),
  },
  { weight: 1, arbitrary: fc.double({ min: 0, max: 2.3e-308, noNaN: true }) },
  { weight: 1, arbitrary: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      Number.MIN_VALUE,
      2 ** -1022,
      2 ** -1021,
      2 ** 1023,
      Number.MAX_VALUE,
    ),
  },
  { weight: 1, arbitrary: fc.integer({ min: -1022, max: 1023 }).map((exponent) => 2 ** exponent) },
  { weight: 1, arbitrary: fc.nat() },
);

const text = fc.oneof(
  fc.constantFrom(
    "a",
    "b",
    'quote " and \\',
    "Grüße",
    "日本",
    "👩‍🚀",
    "\ud800",
    "line\nbreak",
    "",
    "1",
    "true",
  ),
  fc.string({ unit: "binary", maxLength: 6 }),
);

/** Few names and values, so that sets meet again; keys in any order; values of every type. */
export const attributes: fc.Arbitrary<Attributes> = fc.dictionary(
  fc.oneof(fc.constantFrom("a", "b", "http.method"), text),
  fc.oneof(
    text,
    fc.boolean(),
    fc.constantFrom(0, 1, -1, 200, 0.5, -0.5, 2 ** 31, 2 ** 53, -(2 ** 63), 2 ** 63, 1e300),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  ),
  { maxKeys: 4 },
);

/** Batches of measurements whose attributes are sometimes the same object, sometimes an equal one in another order. */
export const batches: fc.Arbitrary<readonly (readonly Measurement[])[]> = fc
  .array(attributes, { minLength: 1, maxLength: 6 })
  .chain((sets) => {
    const set = fc.tuple(fc.constantFrom(...sets), fc.constantFrom("same", "copy", "reversed"))
      .map(([of, how]) =>
        how === "same" ? of : how === "copy" ? { ...of } : Object.fromEntries(
          Object.entries(of).reverse(),
        )
      );
    const measurement = fc.record({ value, attributes: set });
    return fc.array(fc.array(measurement, { maxLength: 40 }), { minLength: 1, maxLength: 4 });
  });
