import assert from "node:assert/strict";
import fc from "fast-check";
import { clip } from "../../src/redact/clip.ts";
import { Secrets } from "../../src/redact/secrets.ts";
import { SEED } from "../support/arbitrary.ts";

const TOKEN = "dt0c01.PUBLICPART.Xk7dQ2mP9sLw4vTz8bNc1rYj";

function withHeaders(headers: Readonly<Record<string, string>>): Secrets {
  const secrets = new Secrets();
  for (const [name, value] of Object.entries(headers)) secrets.addHeader(name, value);
  return secrets;
}

const ofToken = withHeaders({ authorization: `Api-Token ${TOKEN}` });

Deno.test("hide() keeps a token's public part and the scheme before it", () => {
  assert.equal(
    ofToken.hide(`"Api-Token ${TOKEN}" is wrong, and so is ${TOKEN.toLowerCase()}`),
    '"Api-Token dt0c01.PUBLICPART.***" is wrong, and so is dt0c01.publicpart.***',
  );
  assert.equal(ofToken.hide("Xk7dQ2mP9sLw4vTz8bNc1rYj"), "***");
});

Deno.test("hide() leaves what is no secret as it is", () => {
  for (
    const text of [
      "",
      "Api-Token",
      "the token has to begin with dt0c01. or dt0s16.",
      "dt0c01.PUBLICPART. and more",
      "a token ends in …PUBLICPART.",
      "100 % of A&B, C:\\new\\users and &quot;D&quot;",
      "Xk7dQ",
      "Xk7dQ2mP and no more of it",
    ]
  ) assert.equal(ofToken.hide(text), text);
  assert.equal(new Secrets().hide(TOKEN), TOKEN);
});

Deno.test("hide() hides a secret in every form in which it can be repeated", () => {
  const secrets = withHeaders({ "x-key": 'Pa$$ wörd/"&<1>' });
  const forms = {
    plain: 'Pa$$ wörd/"&<1>',
    "other case": 'PA$$ WÖRD/"&<1>',
    "percent-encoded": "Pa%24%24%20w%C3%B6rd%2F%22%26%3C1%3E",
    "percent-encoded with small digits, as Latin-1": "Pa%24%24%20w%f6rd%2f%22%26%3c1%3e",
    "of a form": "Pa%24%24+w%C3%B6rd%2F%22%26%3C1%3E",
    "partly percent-encoded": 'Pa$%24 w%C3%B6rd/"%26<1>',
    "with percent signs of another kind": 'Pa%u0024$ wörd/"&<1>',
    HTML: "Pa$$ wörd/&quot;&amp;&lt;1&gt;",
    "HTML with numbers": "Pa&#36;&#x24; w&#246;rd&#47;&#x22;&#0038;&#x3C;1&#62;",
    "HTML without semicolons": "Pa$$&#32wörd/&quot&amp&lt1&gt",
    "HTML with other names": "Pa&dollar;&dollar;&nbsp;wörd&sol;&quot;&amp;&lt;1&gt;",
    JSON: 'Pa$$ w\\u00f6rd\\/\\"\\u0026\\u003c1\\u003E',
    JavaScript: "Pa\\x24\\u{24} w\\xf6rd/\\x22&\\x3C1\\x3e",
    "JSON in JSON": 'Pa$$ wörd/\\\\\\"&<1>',
    "HTML in JSON": "Pa$$ wörd\\/\\u0026quot;&amp;&lt;1&gt;",
    "encoded twice": "Pa%2524%2524%2520w%25C3%25B6rd%252F%2522%2526%253C1%253E",
    base64: "UGEkJCB3w7ZyZC8iJjwxPg==",
    "base64 of a URL": "UGEkJCB3w7ZyZC8iJjwxPg",
  };
  for (const [what, form] of Object.entries(forms)) {
    assert.equal(secrets.hide(`a ${form} z`), "a *** z", what);
  }
});

Deno.test("hide() hides the parts of credentials, header values, cookies and URLs", () => {
  const secrets = withHeaders({
    authorization: `Basic ${btoa("alice:correct horse")}`,
    "x-scope": "first-word second-word; third=value-of-it abc",
    cookie: "session=cookie-one; theme=dark",
    "x-jwt": "Bearer eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl",
  });
  secrets.addUrl(new URL("https://us%40er:p%26ssword@host/path?api-key=quer%79value&b=two+words"));
  const hidden = [
    btoa("alice:correct horse"),
    "alice:correct horse",
    "alice",
    "correct horse",
    "correct",
    "second-word",
    "value-of-it",
    "cookie-one",
    "dark",
    "eyJzdWIiOi",
    "c2lnbmF0dXJl",
    "us@er",
    "us%40er",
    "p&ssword",
    "p%26ssword",
    "queryvalue",
    "quer%79value",
    "two words",
    "two+words",
  ];
  for (const text of hidden) assert.equal(secrets.hide(`<${text}>`), "<***>", text);
  const shown = ["Basic", "Bearer", "session", "theme", "api-key", "host", "/path", "abc", "third"];
  for (const text of shown) assert.equal(secrets.hide(`<${text}>`), `<${text}>`, text);
});

Deno.test("hide() hides what a broken-off text holds of a secret, from six characters", () => {
  for (const end of ["", "…", " …", "...", '"', '"}', " [truncated]", "%4", "\\u00", "&#x"]) {
    assert.equal(ofToken.hide(`token Xk7dQ2${end}`).slice(0, 9), "token ***", end);
  }
  assert.equal(ofToken.hide("token dt0c01.PUBLICPART.Xk…"), "token dt0c01.PUBLICPART.***…");
  assert.equal(ofToken.hide("token Xk7dQ"), "token Xk7dQ");
  assert.equal(ofToken.hide("token dt0c01.PUBL…"), "token dt0c01.PUBL…");
  assert.equal(ofToken.hide("…c1rYj and …8bNc1rYj"), "…c1rYj and …***");
  assert.equal(ofToken.hide("twelve of it: dQ2mP9sLw4vT!"), "twelve of it: ***!");
});

Deno.test("hide() does not take what stands beside a secret for a part of it", () => {
  const secrets = withHeaders({ "x-key": "abcdef123456" });
  assert.equal(secrets.hide("100%abcd%65f123456"), "100%***");
  assert.equal(secrets.hide("\\xabcdef12345&#x36;"), "\\x***");
  assert.equal(secrets.hide("abcdef123456abcdef123456"), "***");
});

Deno.test("hide() knows a secret that holds escapes itself", () => {
  const secrets = withHeaders({ "x-key": "a%41b&amp;c\\u0041d" });
  for (
    const form of ["a%41b&amp;c\\u0041d", "a%2541b%26amp;c%5Cu0041d", "a%41b&amp;amp;c\\\\u0041d"]
  ) {
    assert.equal(secrets.hide(`<${form}>`), "<***>", form);
  }
});

Deno.test("hide() hides a token that was rotated", () => {
  const secrets = withHeaders({ authorization: "Bearer first-of-them" });
  assert.equal(secrets.hide("first-of-them, second-of-them"), "***, second-of-them");
  secrets.addHeader("authorization", "Bearer second-of-them");
  assert.equal(secrets.hide("first-of-them, second-of-them"), "***, ***");
});

Deno.test("hide() hides no secret shorter than four characters", () => {
  const secrets = withHeaders({ "x-key": "the", "x-other": "that" });
  assert.equal(secrets.hide("the cat and that cat"), "the cat and *** cat");
});

Deno.test("hide() looks at no more of a text than is ever shown", () => {
  const hidden = ofToken.hide(`${TOKEN} `.repeat(100_000));
  assert.ok(hidden.length < 65_536);
  assert.ok(!hidden.includes("Xk7dQ2"));
});

/** Every way in which a character of a secret can be written. */
const WRITTEN: readonly ((character: string) => string)[] = [
  (character) => character,
  (character) => character.toUpperCase(),
  (character) => character.toLowerCase(),
  (character) => encoded(character),
  (character) => encoded(character).toLowerCase(),
  (character) => `&#${character.codePointAt(0)};`,
  (character) => `&#x${hex(character)};`,
  (character) => `&#x0${hex(character).toUpperCase()};`,
  (character) => units(character).map((unit) => `\\u${unit.padStart(4, "0")}`).join(""),
  (character) => `\\u{${hex(character)}}`,
  (character) => /[/"'\\&<>]/.test(character) ? `\\${character}` : character,
];

function encoded(character: string): string {
  const bytes = new TextEncoder().encode(character);
  return [...bytes].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
}

const hex = (character: string) => (character.codePointAt(0) ?? 0).toString(16);
const units = (character: string) =>
  character.split("").map((unit) => unit.charCodeAt(0).toString(16));

/** A whole text in a layer of its own around what is there already. */
const LAYERS: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => JSON.stringify(text).slice(1, -1),
  (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;"),
  (text) => encodeURIComponent(text),
  (text) => new URLSearchParams({ v: text }).toString().slice(2),
];

/** Without what begins an escape, so that a character stands for itself. */
const secretArbitrary = fc.string({
  unit: fc.constantFrom(
    ..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./+=~!$:ö日",
  ),
  minLength: 13,
  maxLength: 60,
});

const writtenArbitrary = secretArbitrary.chain((secret) =>
  fc.record({
    secret: fc.constant(secret),
    written: fc.tuple(
      fc.array(fc.nat(WRITTEN.length - 1), { minLength: 1, maxLength: 80 }),
      fc.constantFrom(...LAYERS),
    ).map(([ways, layer]) =>
      layer(
        [...secret].map((character, i) => WRITTEN[ways[i % ways.length] ?? 0]?.(character)).join(
          "",
        ),
      )
    ),
  })
);

/** Letters and blanks that no secret of these tests holds, so that nothing of them may be hidden. */
const surroundings = fc.string({
  unit: fc.constantFrom(..."éèê»«\n<>{}[]()|*,;¿¡ßñ"),
  maxLength: 40,
});

Deno.test("hide() hides any secret, however it is written, and nothing around it", () => {
  fc.assert(
    fc.property(
      writtenArbitrary,
      surroundings,
      surroundings,
      ({ secret, written }, before, after) => {
        const secrets = withHeaders({ "x-key": secret });
        assert.equal(secrets.hide(`${before}${written}${after}`), `${before}***${after}`);
      },
    ),
    { ...SEED, numRuns: 1000 },
  );
});

Deno.test("hide() hides any secret in any surroundings", () => {
  const any = fc.string({
    unit: fc.constantFrom(..."%&\\#;xu0123abcdef\"'<> {}=+.…"),
    maxLength: 30,
  });
  fc.assert(
    fc.property(secretArbitrary, any, any, (secret, before, after) => {
      const secrets = withHeaders({ "x-key": secret });
      for (const layer of LAYERS) {
        const hidden = secrets.hide(before + layer(secret) + after);
        assert.ok(!hidden.includes(layer(secret)), hidden);
        assert.ok(hidden.includes("***"), hidden);
      }
    }),
    { ...SEED, numRuns: 1000 },
  );
});

Deno.test("hide() leaves less than six characters of a secret that was cut, wherever and by whom", () => {
  fc.assert(
    fc.property(
      writtenArbitrary,
      surroundings,
      fc.nat(),
      fc.constantFrom("", "…", "...", '"', '"}'),
      ({ secret, written }, before, at, ellipsis) => {
        const secrets = withHeaders({ "x-key": secret });
        const theirs = before + written.slice(0, at % (written.length + 1)) + ellipsis;
        const ours = clip(secrets.hide(before + written), before.length + at % 20);
        for (const shown of [secrets.hide(theirs), ours]) {
          const read = decoded(shown.slice(before.length).toLowerCase());
          assert.ok(!read.startsWith([...secret.toLowerCase()].slice(0, 6).join("")), shown);
        }
      },
    ),
    { ...SEED, numRuns: 1000 },
  );
});

/** Decodes a text, in as many steps as it takes. */
function decoded(text: string): string {
  let before;
  do {
    before = text;
    text = text
      .replace(/(%[0-9a-f]{2})+/g, (run) => {
        try {
          return decodeURIComponent(run);
        } catch {
          return run;
        }
      })
      .replace(
        /&#x([0-9a-f]+);/g,
        (_, digits: string) => String.fromCodePoint(parseInt(digits, 16)),
      )
      .replace(/&#([0-9]+);/g, (_, digits: string) => String.fromCodePoint(Number(digits)))
      .replace(
        /\\u(?:\{([0-9a-f]+)\}|([0-9a-f]{4}))/g,
        (_, braced?: string, four?: string) =>
          String.fromCodePoint(parseInt(braced ?? four ?? "", 16)),
      )
      .replaceAll("&amp;", "&").replace(/\\([^0-9a-z])/g, "$1").toLowerCase();
  } while (text !== before);
  return text;
}
