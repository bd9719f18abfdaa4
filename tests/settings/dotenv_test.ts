import assert from "node:assert/strict";
import dotenv from "dotenv";
import fc from "fast-check";
import { parseDotenv } from "../../src/settings/dotenv.ts";

function ours(text: string): Record<string, string> {
  return Object.fromEntries(parseDotenv(text));
}

function agree(text: string): void {
  assert.deepEqual(ours(text), { ...dotenv.parse(text) });
}

const AGREED: Readonly<Record<string, string>> = {
  "the file is empty": "",
  "there are only blank lines": "\n \n\t\n",
  "there are only comments": "# A=1\n  # B=2",
  "a line is plain": "A=1",
  "there are several lines": "A=1\nB=2\nC=3\n",
  "a value is empty": "A=\nB=2",
  "the last value is empty": "A=1\nB=",
  "a value is only spaces": "A=   \nB=2",
  "there are spaces around the equals sign": "A = 1\n  B\t=\t2  ",
  "a value has spaces inside": "A=one two  three ",
  "a value has equals signs": "A=k=v==\nB==",
  "lines end in CRLF": "A=1\r\nB='2'\r\n\r\nC=3\r\n",
  "lines end in CR": "A=1\rB=2\r",
  "the file begins with a byte order mark": "\uFEFFA=1\nB=2",
  "a key has a prefix `export`": "export A=1\n  export\tB='2'",
  "`export` is the key": "export=1",
  "`export` is the key and a space follows": "export = 1",
  "`export` is followed by a key alone": "export A\nB=1",
  "`export` and its key are on two lines": "export\nA=1",
  "`export` is followed by a line with `export`": "export\nexport A=1\nB=2",
  "a key begins with export": "exported=1\nexport.a=2",
  "a key is alone on its line": "A\nB=1",
  "a key and its equals sign are on two lines": "A\n=1",
  "a line begins with an equals sign": "=1\nA=2",
  "a key has dots and dashes": "a.b-c=1\n-=2\n.=3",
  "a key begins with a digit": "1A=x\n2=y",
  "a key has other characters": "A$=1\nÄ=2\nB C=3\nD=4",
  "a key comes twice": "A=1\nB=2\nA=3",
  "a key comes twice and then is empty": "A=1\nA=",
  "a colon and a space follow the key": "A: 1\nB:\t'2'",
  "a colon but no space follows the key": "A:1\nB=2",
  "a colon and a line break follow the key": "A:\nB=2",
  "a space comes before the colon": "A : 1\nB=2",
  "a value has colons": "A=http://host:4318/v1\nB: a: b",
  "a value is in single quotes": "A='one two'",
  "a value is in double quotes": 'A="one two"',
  "a value is in backticks": "A=`one two`",
  "quotes enclose nothing": "A=''\nB=\"\"\nC=``\nD=1",
  "quotes keep spaces": "A='  one  '\nB=\"  two  \"\nC=`  three  `",
  "spaces stand around quotes": "A =  'one'  \nB =\t\"two\"\t",
  "double quotes hold line breaks": 'A="one\ntwo\n\nthree"\nB=2',
  "single quotes hold line breaks": "A='one\ntwo'\nB=2",
  "backticks hold line breaks and CRLF": "A=`one\r\ntwo`\r\nB=2",
  "a quoted value begins on the next line": "A=\n'one'\nB=2",
  "double quotes hold escapes": 'A="one\\ntwo\\rthree\\tfour\\\\nfive"',
  "single quotes and backticks hold escapes": "A='one\\ntwo'\nB=`one\\rtwo`\nC=one\\ntwo",
  "double quotes hold escaped quotes": 'A="say \\"hi\\""\nB="\\""',
  "single quotes hold escaped quotes": "A='it\\'s'\nB='\\''",
  "backticks hold escaped backticks": "A=`a \\` b`",
  "an escaped quote is the last one": "A='one\\'\nB=2",
  "a backslash precedes the closing quote": 'A="C:\\dir\\"\nB="2"',
  "quotes hold other quotes": "A='\"x\" `y`'\nB=\"'x' `y`\"\nC=`'x' \"y\"`",
  "quotes hold the same quotes": 'A="one "two" three"\nB=\'it\'s\'',
  "quotes hold JSON": `A='{"a": [1, "b"]}'\nB={"a": "b"}`,
  "a double quote is never closed": 'A="one\\ntwo\nB=2',
  "a single quote is never closed": "A='one\nB=2",
  "a backtick is never closed": "A=`one\nB=2",
  "a closing quote is followed by text": "A='one' two\nB=\"one\"two",
  "quotes stand inside a value": 'A=one "two" three\nB=it\'s',
  "a value is a single quote": "A=\"\nB='",
  "a comment follows a value": "A=1 # one\nB=2# two\nC=3 #",
  "a comment follows quotes": "A='1' # one\nB=\"2\"# two\nC=`3`\t#three",
  "a comment has quotes": "A=1 # it's\nB='2' # \"two\nC=3 # 'three'",
  "a value begins with a hash": "A=#1\nB= # 2\nC=3",
  "quotes hold a hash": "A='#1'\nB=\"a # b\"\nC=`#`",
  "a closed quote in a comment follows an open one": "A='one # two'\nB='one # 'two",
  "a hash stands inside a key": "A#B=1\nC=2",
  "a value has Unicode": "A=Grüße 👋\nB='日本語'\nC=\"é\\nè\"",
  "a value has dollar signs": "A=$B\nB=${A}$&$1\nC='$1'",
  "other white space surrounds a value": "\u00a0A\u3000=\u2003one\u00a0\n\v\fB=2",
  "line separators stand in a value": "A=1\u2028B=2\u2029'C'\nD='\u2028'x\u2028\"y\"\nE=5",
  "line separators precede quotes inside quotes": "A='a\u2028'b'\nB='2'\u2028'c'\u2028\"d\"",
  "line separators end a comment": "A=1 # c\u2028B=2\n# d\u2029C=3",
  "a value is a token": "DT_API_TOKEN=dt0c01.PUBLIC.SECRET\nDT_ENDPOINT=https://a.b/api/v2/otlp",
};

for (const [when, text] of Object.entries(AGREED)) {
  Deno.test(`parseDotenv() agrees with dotenv when ${when}`, () => agree(text));
}

const LITERAL: Readonly<Record<string, readonly [string, Record<string, string>]>> = {
  "takes the last of two values": ["A=1\nA=2", { A: "2" }],
  "unfolds line breaks in double quotes only": ["A=\"x\\ny\"\nB='x\\ny'", {
    A: "x\ny",
    B: "x\\ny",
  }],
  "ends a bare value at a hash": ["A=a#b\nB='a#b'", { A: "a", B: "a#b" }],
  "passes over export and a byte order mark": ["\uFEFFexport A=1\r\n", { A: "1" }],
  "keeps what is behind a second equals sign": ["A=Authorization=Api-Token x", {
    A: "Authorization=Api-Token x",
  }],
  "keeps an open quote": ["A='one\nB=2", { A: "'one", B: "2" }],
};

for (const [does, [text, expected]] of Object.entries(LITERAL)) {
  Deno.test(`parseDotenv() ${does}`, () => assert.deepEqual(ours(text), expected));
}

Deno.test("parseDotenv() agrees with dotenv when the file is random", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "'",
      '"',
      "`",
      "\\",
      "\n",
      "\r\n",
      "=",
      "#",
      " ",
      "\t",
      ":",
      "\u2028",
      "\uFEFF",
    ),
    fc.constantFrom(
      "A=",
      "\nB='",
      '\nexport C = "',
      "D: ",
      "\\n",
      "\\'",
      '\\"',
      "é",
      "x.y-z",
      "_1",
    ),
    fc.string({ unit: "grapheme-ascii", maxLength: 3 }),
  );
  const file = fc.array(piece, { maxLength: 24 }).map((pieces) => pieces.join(""));
  fc.assert(
    // `__proto__` sets no property in dotenv's object; it cannot come from these pieces either.
    fc.property(file, (text) => agree(text)),
    { seed: 20261123, numRuns: 5000 },
  );
});

/** How a file begins, and what is then repeated until it has a megabyte. */
const SLOW: Readonly<Record<string, readonly [string, string]>> = {
  "quotes are never closed": ["", 'A="\n'],
  "three kinds of quotes are open at once": ["", "A='\nB=\"\nC=`\n"],
  "escaped quotes are never followed by an end of line": ['A="', '\\" x'],
  "white space follows escaped quotes": ['A="', '\\"    '],
  "keys have no equals sign": ["", "A\n"],
  "line breaks follow a key": ["A", "\n"],
  "spaces follow an equals sign": ["A=", " "],
  "`export` is repeated": ["", "export "],
  "`export` is followed by line breaks": ["", "export\n\n\n"],
  "line separators precede open quotes": ["A=x", '\u2028"x'],
  "empty values are spread over lines": ["", "A=\n \n"],
};

for (const [when, [begin, piece]] of Object.entries(SLOW)) {
  Deno.test(`parseDotenv() takes no long time for a megabyte when ${when}`, () => {
    const text = begin + piece.repeat(2 ** 20 / piece.length);
    const started = performance.now();
    parseDotenv(text);
    // A tenth of a second or less; minutes where every place is looked at from every other one.
    assert.ok(performance.now() - started < 10_000);
  });
}
