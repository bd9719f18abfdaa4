import assert from "node:assert/strict";
import { pathTemplate } from "../../../src/source/input/path_template.ts";
import { patternOf, readText } from "./reading.ts";

for (
  const [path, template] of [
    ["/users/7/orders/123456?expand=1&x=/2", "/users/{id}/orders/{id}"],
    ["/", "/"],
    ["", ""],
    ["/api/v2/items", "/api/v2/items"],
    ["/o/3fa85f64-5717-4562-b3fc-2c963f66afa6", "/o/{id}"],
    ["/o/3FA85F64-5717-4562-B3FC-2C963F66AFA6/", "/o/{id}/"],
    ["/blob/507f1f77bcf86cd799439011/raw", "/blob/{id}/raw"],
    ["/face/decade/2026-01", "/face/decade/2026-01"],
    ["/a/b#c", "/a/b"],
    ["https://example.com/users/7?x", "https://example.com/users/{id}"],
  ] as const
) {
  Deno.test(`pathTemplate() makes ${template} of ${path}`, () =>
    assert.equal(pathTemplate(path), template));
}

Deno.test("readInput() makes one series of paths that differ in identifiers, in every format", async () => {
  const paths = ["/u/1?a=b", "/u/2", "/v/3"];
  const options = {
    attrFields: [{ name: "path", key: "http.route" }, { name: "user", key: "user" }],
    pathFields: ["path"],
  };
  const texts = {
    ndjson: (path: string) => `{"value":1,"path":"${path}","user":"/9"}`,
    logfmt: (path: string) => `value=1 path="${path}" user=/9`,
    pattern: (path: string) => `1 ${path} /9`,
  };
  for (const format of ["ndjson", "logfmt", "pattern"] as const) {
    const pattern = patternOf("(?<value>\\d) (?<path>\\S+) (?<user>\\S+)");
    const { measurements } = await readText(paths.map(texts[format]).join("\n"), {
      ...options,
      format,
      pattern,
    });
    assert.deepEqual(measurements.map(([, attributes]) => attributes), [
      { "http.route": "/u/{id}", user: "/9" },
      { "http.route": "/u/{id}", user: "/9" },
      { "http.route": "/v/{id}", user: "/9" },
    ], format);
  }
  const { measurements } = await readText('{"value":1,"attributes":{"path":"/u/1"}}\n', {
    pathFields: ["path"],
  });
  assert.deepEqual(measurements, [[1, { path: "/u/{id}" }]]);
});
