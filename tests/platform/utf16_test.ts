import assert from "node:assert/strict";
import { demandUtf8 } from "../../src/platform/utf16.ts";
import { testCases } from "../support/cases.ts";

/** Encodes a text with a BOM that comes from the text itself, and reads it as a file is read. */
function readAsUtf8(text: string, littleEndian: boolean): string {
  const bytes = new DataView(new ArrayBuffer(2 * text.length));
  [...text].forEach((c, i) => bytes.setUint16(2 * i, c.charCodeAt(0), littleEndian));
  return new TextDecoder().decode(bytes);
}

testCases([
  ["UTF-16LE", '{"a":1}', true],
  ["UTF-16BE", '{"a":1}', false],
  ["UTF-16", '\ufeff{"a":1}', true],
  ["UTF-16", '\ufeff{"a":1}', false],
].map(([encoding, text, littleEndian]) => ({
  name: `demandUtf8() names ${encoding} (${text}, ${littleEndian ? "little" : "big"} endian)`,
  run() {
    assert.throws(
      () => demandUtf8(readAsUtf8(String(text), littleEndian === true), '".env"'),
      { message: new RegExp(`^Cannot read "\\.env": it is UTF-16\\..* -f ${encoding} -t UTF-8$`) },
    );
  },
})));

Deno.test("demandUtf8() accepts other texts", () => {
  for (const text of ["", "A", "\ufeff{}", "\ufffd", "A=1\0"]) demandUtf8(text, '".env"');
});
