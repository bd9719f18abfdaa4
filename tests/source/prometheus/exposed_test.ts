import assert from "node:assert/strict";
import { OUTSIDE_IDENTITY, UNKNOWN_SERVICE } from "../../../src/aggregate/identity.ts";
import { readHistograms } from "../../../src/source/prometheus/cumulative.ts";
import { fromNothing } from "../../../src/source/prometheus/deltas.ts";
import { type Exposed, exposedOf } from "../../../src/source/prometheus/exposed.ts";
import {
  familyInstruments,
  type IdentifiedInstrument,
} from "../../../src/source/prometheus/families.ts";
import { unitOf } from "../../../src/source/prometheus/units.ts";
import { each } from "../../support/cases.ts";

function exposed(...lines: readonly string[]): readonly Exposed[] {
  const reading = readHistograms(["# TYPE h histogram", ...lines, ""].join("\n"));
  assert.ok(typeof reading !== "string");
  assert.deepEqual(reading.unreadable, []);
  return exposedOf(reading, reading.histograms.map(fromNothing));
}

const histogram = (labels: string) =>
  [`h_bucket{${labels},le="1"} 1`, `h_bucket{${labels},le="+Inf"} 1`, `h_count{${labels}} 1`]
    .join("\n");

/** Instruments that expositions are recorded as, and the warnings about them. */
function recorded(...expositions: readonly (readonly Exposed[])[]) {
  const found: IdentifiedInstrument[] = [];
  const warnings: string[] = [];
  const record = familyInstruments(
    { ...OUTSIDE_IDENTITY, attributes: {}, userResource: {} },
    (instrument) => found.push(instrument),
    (message) => warnings.push(message),
  );
  const counts = new Map<number, number>();
  const records = {
    isFull: false,
    add: () => assert.fail(),
    addInstrument: () => found.length,
    addHistograms(batch: readonly unknown[], instrument = 0) {
      counts.set(instrument, (counts.get(instrument) ?? 0) + batch.length);
    },
  };
  for (const each of expositions) record(records, each);
  return { found, warnings, counts: [...counts.values()] };
}

const TARGETS: readonly {
  readonly name: string;
  readonly targets: readonly string[];
  readonly labels: string;
  readonly resource: Exposed["origin"]["resource"];
  readonly attributes: Readonly<Record<string, string>>;
}[] = [
  {
    name: "no target: job stays a label",
    targets: [],
    labels: 'job="a"',
    resource: undefined,
    attributes: { job: "a" },
  },
  {
    name: "a target without job is that of every series",
    targets: ['region="eu"'],
    labels: 'job="a"',
    resource: { region: "eu" },
    attributes: { job: "a" },
  },
  {
    name: "the only target is that of series without a job",
    targets: ['job="a",instance="i:1",region="eu"'],
    labels: 'k="v"',
    resource: { "service.name": "a", "service.instance.id": "i:1", region: "eu" },
    attributes: { k: "v" },
  },
  {
    name: "job and instance choose among several",
    targets: ['job="a",instance="1",at="x"', 'job="a",instance="2",at="y"'],
    labels: 'k="v",job="a",instance="2"',
    resource: { "service.name": "a", "service.instance.id": "2", at: "y" },
    attributes: { k: "v" },
  },
  {
    name: "of several, none is guessed",
    targets: ['job="a",at="x"', 'job="b",at="y"'],
    labels: 'k="v"',
    resource: undefined,
    attributes: { k: "v" },
  },
  {
    name: "a series of another job has no target",
    targets: ['job="a",at="x"'],
    labels: 'job="b"',
    resource: undefined,
    attributes: { job: "b" },
  },
  {
    name: "job is NAMESPACE/NAME",
    targets: ['job="shop/cart"'],
    labels: 'job="shop/cart",k="v"',
    resource: { "service.namespace": "shop", "service.name": "cart" },
    attributes: { k: "v" },
  },
  {
    name: "a label service.name is before service_name, and that before job",
    targets: ['job="a",service_name="b","service.name"="c"'],
    labels: 'k="v"',
    resource: { "service.name": "c", service_name: "b" },
    attributes: { k: "v" },
  },
];

each(
  TARGETS,
  ({ name }) => `exposedOf() finds the target of a series: ${name}`,
  ({ targets, labels, resource, attributes }) => {
    const [only, ...others] = exposed(
      histogram(labels),
      ...targets.map((target) => `target_info{${target}} 1`),
    );
    assert.ok(only !== undefined && others.length === 0);
    assert.deepEqual(only.origin.resource, resource);
    assert.deepEqual(only.histograms.map((each) => each.attributes), [attributes]);
  },
);

Deno.test("familyInstruments() keeps series apart that differ in their scope alone, over readings", () => {
  const reading = () =>
    exposed(
      histogram('otel_scope_name="a",k="v"'),
      histogram('otel_scope_name="b",k="v"'),
      histogram('k="v"'),
      'target_info{region="eu"} 1',
    );
  const { found, counts } = recorded(reading(), reading());
  assert.deepEqual(found.map(({ identity: { scope } }) => scope.name), [
    ...["a", "b", "otlp-histogram"],
  ]);
  assert.deepEqual(counts, [2, 2, 2]);
  const [first, ...others] = found.map(({ identity: { resource } }) => resource);
  assert.deepEqual(first, { "service.name": UNKNOWN_SERVICE, region: "eu" });
  for (const resource of others) assert.equal(resource, first);
});

Deno.test("familyInstruments() tells 1,000 origins apart, and merges more with one warning", () => {
  const reading = exposed(
    ...Array.from({ length: 1003 }, (_, i) => histogram(`otel_scope_name="s${i}",k="v"`)),
  );
  const { found, warnings, counts } = recorded(reading);
  assert.equal(found.length, 1001);
  assert.equal(found.at(-1)?.identity.scope, OUTSIDE_IDENTITY.scope);
  assert.equal(counts.at(-1), 3);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", /^the exposition names more than 1,000 scopes and targets/);
});

each(
  [
    { family: "a_seconds", named: undefined, unit: "s" },
    { family: "a_percent", named: undefined, unit: "%" },
    { family: "a_bytes_per_second", named: undefined, unit: "By/s" },
    { family: "a_requests_per_second", named: undefined, unit: "" },
    { family: "a_bytes_per_thing", named: undefined, unit: "" },
    { family: "seconds", named: undefined, unit: "" },
    { family: "a_seconds", named: "", unit: "" },
    { family: "a_seconds", named: "milliseconds", unit: "ms" },
    { family: "a", named: "things_per_year", unit: "things/a" },
  ],
  ({ family, named, unit }) => `unitOf() of ${family}, named ${named}, is "${unit}"`,
  ({ family, named, unit }) => assert.equal(unitOf(family, named), unit),
);
