import assert from "node:assert/strict";
import type { SendFlags } from "../../../src/settings/settings.ts";
import { UsageError } from "../../../src/platform/errors.ts";
import { defaultBounds } from "../../../src/aggregate/default_bounds.ts";
import { conventionsFor } from "../../../src/aggregate/metric_config.ts";
import { type MeasuredField, valueFields } from "../../../src/source/input/value_fields.ts";
import { each } from "../../support/cases.ts";

const MS = { unit: "ms", description: "", bounds: defaultBounds("ms") };

each<readonly [string, SendFlags, readonly MeasuredField[]]>(
  [
    ["the field value without the flag", {}, [{ field: "value", metric: undefined }]],
    ["a field of --metric", { valueField: ["d.ms"] }, [{ field: "d.ms", metric: undefined }]],
    ["a metric in ms", { valueField: ["a=m.d"] }, [{ field: "a", metric: { name: "m.d", ...MS } }]],
    [
      "units, with a slash or in braces, and their bounds",
      { valueField: ["a=m:s", "b=n:By/s", "c=o:{row}"] },
      [
        { field: "a", metric: { ...MS, name: "m", unit: "s", bounds: defaultBounds("s") } },
        { field: "b", metric: { ...MS, name: "n", unit: "By/s" } },
        { field: "c", metric: { ...MS, name: "o", unit: "{row}" } },
      ],
    ],
    [
      "--unit for a metric without one, and its own description for none",
      { valueField: ["a", "b=n"], unit: "us", description: "A" },
      [
        { field: "a", metric: undefined },
        {
          field: "b",
          metric: { name: "n", unit: "us", description: "", bounds: defaultBounds("us") },
        },
      ],
    ],
    [
      "--buckets for metrics of one unit",
      { valueField: ["a=m", "b=n"], buckets: "1,2", scale: "10" },
      [
        { field: "a", metric: { ...MS, name: "m", bounds: [1, 2] } },
        { field: "b", metric: { ...MS, name: "n", bounds: [1, 2] } },
      ],
    ],
    [
      "--exponential for all",
      { valueField: ["a=m:s", "b=n:By"], exponential: true },
      [
        { field: "a", metric: { ...MS, name: "m", unit: "s", bounds: "exponential" } },
        { field: "b", metric: { ...MS, name: "n", unit: "By", bounds: "exponential" } },
      ],
    ],
  ],
  ([what]) => `valueFields() reads ${what}`,
  ([, flags, expected]) => {
    assert.deepEqual(valueFields(flags, () => undefined), expected);
  },
);

Deno.test("valueFields() takes unit and bounds of the semantic conventions, unless a unit is named", async () => {
  const valueField = ["a=http.server.request.duration", "b=http.client.request.duration:ms"];
  const conventions = await conventionsFor({ valueField });
  const [first, second] = valueFields({ valueField }, () => undefined, conventions);
  assert.deepEqual([first?.metric?.unit, second?.metric?.unit], ["s", "ms"]);
  assert.deepEqual(
    first?.metric?.bounds,
    conventions?.conventionOf("http.server.request.duration")?.bounds,
  );
  assert.deepEqual(second?.metric?.bounds, defaultBounds("ms"));
});

const TWO = ["a=m:s", "b=n:By"];

each<readonly [SendFlags, RegExp]>(
  [
    [
      { valueField: [""] },
      /^Invalid --value-field "" \(command line\): expected the name of a field, or NAME=/,
    ],
    [{ valueField: ["=m"] }, /^Invalid --value-field "=m"/],
    [{ valueField: ["a="] }, /^Invalid --value-field "a="/],
    [{ valueField: ["a=:s"] }, /^Invalid --value-field "a=:s"/],
    [{ valueField: ["a=m:"] }, /^Invalid --value-field "a=m:"/],
    [{ valueField: ["a=9m"] }, /^Invalid --value-field "a=9m"/],
    [{ valueField: ["a=m n"] }, /^Invalid --value-field "a=m n"/],
    [
      { valueField: ["a", "b"] },
      /^--value-field names "a" and "b" for one metric: name a metric for each field, --value-field NAME=METRIC$/,
    ],
    [{ valueField: ["a=m", "b=m:s"] }, /^--value-field sets two fields for the metric "m": /],
    [
      { valueField: ["a", "b=m"], metric: "m" },
      /^--value-field sets two fields for the metric "m": /,
    ],
    [
      { valueField: ["a=m"], metric: "x" },
      /^--metric applies to a --value-field without a metric/,
    ],
    [
      { valueField: ["a=m"], description: "x" },
      /^--description applies to a --value-field without/,
    ],
    [{ valueField: TWO, unit: "ms" }, /^--unit applies to metrics without their own unit/],
    [
      { valueField: TWO, buckets: "1,2" },
      /^--buckets holds .* different units \("s", "By"\): leave/,
    ],
    [{ valueField: TWO, scale: "2" }, /^--scale holds .* different units \("s", "By"\): leave/],
    [{ valueField: ["a", "b=n:By"], scale: "2" }, /^--scale holds .* units \("ms", "By"\)/],
  ],
  ([flags]) => `valueFields() refuses ${JSON.stringify(flags)}`,
  ([flags, message]) => {
    assert.throws(() => valueFields(flags, () => undefined), (thrown) => {
      assert.ok(thrown instanceof UsageError);
      assert.match(thrown.message, message);
      return true;
    });
  },
);
