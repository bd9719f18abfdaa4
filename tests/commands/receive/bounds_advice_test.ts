import assert from "node:assert/strict";
import { BoundsAdvice } from "../../../src/commands/receive/bounds_advice.ts";

const problem = (rule: string, metric: string) => ({
  rule,
  level: "warning" as const,
  metric,
  message: "",
});

Deno.test("BoundsAdvice writes views in s for the metrics of bounds-unit, and for no others", () => {
  const advice = new BoundsAdvice();
  advice.add([problem("one-bucket", "a"), problem("convention-unit", "b")]);
  assert.deepEqual(advice.lines((text) => text), []);
  advice.add([problem("bounds-unit", "job.duration")]);
  advice.add([problem("bounds-unit", "http.server.request.duration")]);
  const lines = advice.lines((text) => text.replace("job", "***"));
  assert.equal(lines[0], "Bounds in seconds for the metrics of rule bounds-unit:");
  assert.ok(lines.some((line) =>
    line.includes(
      'instrument_name="***.duration", aggregation=ExplicitBucketHistogramAggregation([0.005, 0.01, 0.025, 0.05, 0.1, ',
    )
  ));
  // These are the bounds of the semantic conventions, with 0.075.
  assert.ok(
    lines.some((line) =>
      line.includes('"http.server.request.duration"') && line.includes("0.05, 0.075, 0.1, ")
    ),
  );
  assert.ok(lines.includes("In a declarative configuration (YAML):"));
});

Deno.test("BoundsAdvice writes twenty views at most", () => {
  const advice = new BoundsAdvice();
  advice.add(Array.from({ length: 30 }, (_, i) => problem("bounds-unit", `m${i}`)));
  assert.equal(
    advice.lines((text) => text).filter((line) => line.startsWith("  View(")).length,
    20,
  );
});
