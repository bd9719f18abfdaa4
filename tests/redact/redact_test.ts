import assert from "node:assert/strict";
import { UsageError } from "../../src/platform/errors.ts";
import { redactToken, redactTokens, redactUrl, redactUrlText } from "../../src/redact/redact.ts";

Deno.test("redactUrl() hides user name, password and the values of the query", () => {
  const cases = {
    "https://host/a/b": "https://host/a/b",
    "https://host:8443/": "https://host:8443/",
    "https://user:pass@host/a": "https://***:***@host/a",
    "https://user@host/": "https://***@host/",
    "https://:pass@host/": "https://:***@host/",
    "https://host/a?key=1&b=&c": "https://host/a?key=***&b=***&***",
    "https://host/a?k=a=b#fragment": "https://host/a?k=***",
    "http://proxy:3128": "http://proxy:3128/",
    "http:/user:pass@host:1": "http://***:***@host:1/",
    "https://https://user:pass@host/a?k=v": "https://***@host/a?k=***",
    "http://user:12/pass@host/a": "http://***@host/a",
    "http://user:12?pass@host/a": "http://user:12/?***",
    "http://host/user:pass%40host": "http://host/user:pass%40host",
  };
  for (const [url, shown] of Object.entries(cases)) assert.equal(redactUrl(new URL(url)), shown);
});

Deno.test("redactUrlText() hides what may be secret in a text that is no URL", () => {
  const cases = {
    "host:4318": "host:4318",
    "ftp://user:pass@host/a?k=v": "ftp://***@host/a?k=***",
    "user:pass@host": "***@host",
    "//user:pass@host/p": "//***@host/p",
    "http://user:p?a/ss@host/a?k=v": "http://***@host/a?k=***",
    "htp:/user:pass@host": "htp:/***@host",
    "http:/user:pass@host:1": "http:/***@host:1",
    "http://user:pass%40host": "http://***%40host",
    "host/path?a&b=c": "host/path?***&b=***",
    "": "",
  };
  for (const [text, shown] of Object.entries(cases)) assert.equal(redactUrlText(text), shown);
});

Deno.test("redactToken() shows a Dynatrace token's public part alone", () => {
  assert.equal(redactToken("dt0c01.PUBLIC.SECRET"), "dt0c01.PUBLIC.***");
  assert.equal(redactToken("dt0s16.PUBLIC.SECRET"), "dt0s16.PUBLIC.***");
  for (const text of ["SECRET", "dt0c01.SECRET", "x.dt0c01.PUBLIC.SECRET", ""]) {
    assert.equal(redactToken(text), "***");
  }
});

Deno.test("redactTokens() finds tokens wherever they stand", () => {
  assert.equal(
    redactTokens('Invalid "dt0c01.AB.CD-1", dt0s16.X.Y, dt0c01.no and dt0c01'),
    'Invalid "dt0c01.AB.***", dt0s16.X.***, dt0c01.no and dt0c01',
  );
  assert.equal(new UsageError("No dt0c01.A.B here").message, "No dt0c01.A.*** here");
});
