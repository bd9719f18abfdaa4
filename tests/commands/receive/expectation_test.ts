import assert from "node:assert/strict";
import { type Expectation, parseExpectation } from "../../../src/commands/receive/expectation.ts";

function parse(value: string): Expectation {
  return parseExpectation({ name: "--expect", source: "command line", value });
}

/** Puts an expectation into one line: its metric, then the subject, key, operator and value of each condition. */
function spell({ metric, conditions, counts }: Expectation): string {
  return [
    metric,
    ...conditions.map(({ subject, key, comparison }) =>
      `${subject} ${key}${comparison === undefined ? "" : comparison.operator + comparison.value}`
    ),
    ...counts.map(({ operator, value }) => `count${operator}${value}`),
  ].join(" | ");
}

const PARSED: readonly (readonly [string, string])[] = [
  ["job.duration", "job.duration"],
  // A name of a metric may hold anything, and has done so since before there were conditions.
  ["two words, [and] more", "two words, [and] more"],
  ["m{a=b}", "m | attribute a=b"],
  ["m{a=b,c} unit=s", "m | attribute a=b | attribute c | unit unit=s"],
  [
    " m { a = b , c } type = histogram temporality=delta count >= 3 ",
    "m | attribute a=b | attribute c | type type=histogram | temporality temporality=delta | count>=3",
  ],
  ["m{}", "m"],
  [
    "m service.name=shop process.pid>=40",
    "m | resource service.name=shop | resource process.pid>=40",
  ],
  ["m{code>=500}", "m | attribute code>=500"],
  ["m{route=/users/{id},b=c}", "m | attribute route=/users/{id} | attribute b=c"],
  ["m unit={request}/s", "m | unit unit={request}/s"],
  ["m{query=a=b}", "m | attribute query=a=b"],
  ['m{a="b, c} = d"}', "m | attribute a=b, c} = d"],
  [String.raw`m{a="say \"hi\" \\ \n"}`, String.raw`m | attribute a=say "hi" \ \n`],
  ['m{a=""} unit=""', "m | attribute a= | unit unit="],
  ['"my metric"{"a key"=b} "count"=1', "my metric | attribute a key=b | count=1"],
  ["m count>=3 count=5", "m | count>=3 | count=5"],
  ["m{tags=[a,b],c} host=[x, y]", "m | attribute tags=[a,b] | attribute c | resource host=[x,y]"],
  ["m{a=[b,c=]d}", "m | attribute a=[b | attribute c=]d"],
];

for (const [text, spelled] of PARSED) {
  Deno.test(`parseExpectation() reads ${text}`, () => {
    const expectation = parse(text);
    assert.equal(spell(expectation), spelled);
    assert.equal(expectation.text, text);
  });
}

const REFUSED: readonly (readonly [string, string])[] = [
  ["", "a metric name"],
  [" ", "a metric name"],
  ["=b", 'a metric name, at "=b" (character 1)'],
  ["m{a=b", '"," or "}", at its end'],
  ["m{a b}", '"," or "}", at "b}" (character 5)'],
  ["m{a=b unit=s}", '"," or "}", at "unit=s}" (character 7)'],
  ["m{", "the key of an attribute, at its end"],
  ["m{a,}", 'the key of an attribute, at "}" (character 5)'],
  ["m{a=}", 'a value ("" for an empty one), at "}" (character 5)'],
  ['m{a="b}', String.raw`a closing quote (") for the quote, at "\"b}" (character 5)`],
  ['m{a=b"c"}', String.raw`quotes around the whole value, at "b\"c\"}" (character 5)`],
  ["m{a=/x/{id}", '"," or "}", at its end'],
  ["m{a={b", 'quotes around a value with an unpaired "{", at "{b" (character 5)'],
  ["m a=b}", 'quotes around a value with an unpaired "}", at "}" (character 6)'],
  ["m{a} unit", '= or >= after "unit", at its end'],
  ["m{a} unit>s", '= or >= after "unit", at ">s" (character 10)'],
  ["m unit!=s", '= or >=, at "!=s" (character 7)'],
  ["m{a<=3}", '= or >=, at "<=3}" (character 4)'],
  ["m unit=s,type=sum", 'a space between two conditions, at ",type=sum" (character 9)'],
  ["m unit>=s", '= after "unit", at "unit>=s" (character 3)'],
  [
    "m count>=many",
    'a whole number after count, for example count>=3, at "count>=many" (character 3)',
  ],
  ["m size>=big", 'a number after >=, at "size>=big" (character 3)'],
  ["m{size>=big}", 'a number after >=, at "size>=big}" (character 3)'],
  [
    "m temporality=deltas",
    'one of temporality=delta, temporality=cumulative, at "temporality=deltas" (character 3)',
  ],
  [
    "m type=Histogram",
    "one of type=histogram, type=exponentialHistogram, type=sum, type=gauge, type=summary, " +
    'at "type=Histogram" (character 3)',
  ],
];

for (const [text, expected] of REFUSED) {
  Deno.test(`parseExpectation() refuses ${JSON.stringify(text)}`, () => {
    const remedy = text.trim() === ""
      ? ""
      : `. Write it like 'job.duration{queue="a b",region=eu,host} unit=s count>=3'`;
    assert.throws(() => parse(text), {
      name: "UsageError",
      message: `Invalid --expect "${text}" (command line): expected ${expected}${remedy}`,
    });
  });
}
