import assert from "node:assert/strict";
import { ByteNumber } from "../../../src/source/input/byte_number.ts";
import { longDecimal } from "../../../src/source/input/long_decimal.ts";
import { seededRandom } from "../../../src/source/generate/random.ts";

const number = new ByteNumber();

function read(text: string): number {
  const bytes = new TextEncoder().encode(`x${text},`);
  assert.equal(number.read(bytes, 1), bytes.length - 1, text);
  return number.value;
}

function same(text: string): void {
  assert.ok(
    Object.is(read(text), Number(text)),
    `${text}: ${read(text)} instead of ${Number(text)}`,
  );
}

Deno.test("ByteNumber reads what other programs print of a double exactly", () => {
  const random = seededRandom("doubles");
  for (let i = 0; i < 60_000; i++) {
    const x = random() * 10 ** Math.floor(random() * 20 - 6);
    for (
      const text of [String(x), x.toFixed(3), x.toPrecision(16), x.toPrecision(17), x.toFixed(16)]
    ) same(text);
  }
});

Deno.test("ByteNumber reads any digits exactly", () => {
  const random = seededRandom("digits");
  const digits = (count: number) =>
    Array.from({ length: count }, () => Math.floor(random() * 10)).join("");
  for (let i = 0; i < 60_000; i++) {
    const whole = String(BigInt(digits(1 + Math.floor(random() * 12))));
    const part = digits(1 + Math.floor(random() * 24));
    same(`${random() < 0.5 ? "-" : ""}${random() < 0.3 ? "0" : whole}.${part}`);
    same(String(BigInt(digits(1 + Math.floor(random() * 25)))));
  }
});

Deno.test("ByteNumber rounds as Number does when a number lies at or beside the middle of two doubles", () => {
  const random = seededRandom("halves");
  for (let i = 0; i < 20_000; i++) {
    // An odd integer of 54 to 60 bits, at half the distance of two doubles; with decimals, half of one that has fewer.
    const bits = 54n + BigInt(Math.floor(random() * 7));
    const top = BigInt(Math.floor(random() * 2 ** 52)) + 2n ** 52n;
    const middle = (2n * top + 1n) << (bits - 54n);
    for (const beside of [middle, middle - 1n, middle + 1n]) same(String(beside));
    const fraction = String((2n * top + 1n) * 5n ** 10n).padStart(11, "0");
    const text = `${fraction.slice(0, -10)}.${fraction.slice(-10)}`;
    const cut = text.slice(0, 23);
    same(text);
    same(cut);
    same(cut.slice(0, -1) + String((Number(cut.at(-1)) + 1) % 10));
  }
});

Deno.test("longDecimal() decides nearly always, and never wrongly", () => {
  const random = seededRandom("long");
  let undecided = 0;
  for (let i = 0; i < 50_000; i++) {
    const high = Math.floor((0.1 + 0.9 * random()) * 1e15);
    const lowDigits = 1 + Math.floor(random() * 7);
    const low = Math.floor(random() * 10 ** lowDigits);
    const decimals = Math.floor(random() * 23);
    const value = longDecimal(high, low, lowDigits, decimals);
    const expected = Number(`${high}${String(low).padStart(lowDigits, "0")}e-${decimals}`);
    if (Number.isNaN(value)) undecided++;
    else assert.equal(value, expected);
  }
  // Only what lies in the middle of two doubles, or as good as.
  assert.ok(undecided < 2500, String(undecided));
});

Deno.test("ByteNumber finds no number where JSON has none", () => {
  for (
    const text of [
      "",
      "-",
      ".5",
      "+1",
      "-.5",
      "e1",
      "1.",
      "1.e3",
      "1e",
      "1e+",
      "x",
      "-x",
      "Infinity",
    ]
  ) {
    assert.equal(number.read(new TextEncoder().encode(`${text},`), 0), -1, text);
  }
  // It ends where the number does.
  for (
    const [text, end] of [["01,", 1], ["-0x,", 2], ["1.5.5,", 3], ["1e5e5,", 3], [
      "1-2,",
      1,
    ]] as const
  ) {
    assert.equal(number.read(new TextEncoder().encode(text), 0), end, text);
  }
});
