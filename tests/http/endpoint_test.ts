import assert from "node:assert/strict";
import { baseEndpoint, exactEndpoint } from "../../src/http/endpoint.ts";
import { PROFILES, RECEIVERS } from "../../src/receivers/profiles.ts";
import { UsageError } from "../../src/platform/errors.ts";
import type { Setting } from "../../src/settings/setting.ts";

const none = () => undefined;
const setting = (value: string): Setting => ({ name: "--endpoint", source: "command line", value });

Deno.test("baseEndpoint() adds /v1/metrics unless it is there", () => {
  const cases = {
    "http://localhost:4318": "http://localhost:4318/v1/metrics",
    "http://localhost:4318/": "http://localhost:4318/v1/metrics",
    "https://h/api/v2/otlp//": "https://h/api/v2/otlp/v1/metrics",
    "https://h/v1/metrics": "https://h/v1/metrics",
    "https://h/v1/metrics/": "https://h/v1/metrics",
    "https://h/v1/metricsx": "https://h/v1/metricsx/v1/metrics",
    "https://h/a?b=c": "https://h/a/v1/metrics?b=c",
    "https://h/a#fragment": "https://h/a/v1/metrics",
    " https://h ": "https://h/v1/metrics",
  };
  for (const [base, url] of Object.entries(cases)) {
    assert.equal(baseEndpoint(setting(base), none, RECEIVERS).url.href, url);
  }
});

Deno.test("exactEndpoint() keeps the URL as it is", () => {
  assert.equal(
    exactEndpoint(setting("http://h/custom/?a=b"), none, RECEIVERS).url.href,
    "http://h/custom/?a=b",
  );
});

Deno.test("baseEndpoint() takes user name and password out of the URL", () => {
  const { url, shown, basic } = baseEndpoint(
    setting("https://us%40er:pä%3Ass@h/a?k=v"),
    none,
    RECEIVERS,
  );
  assert.equal(url.href, "https://h/a/v1/metrics?k=v");
  assert.equal(shown, "https://***:***@h/a/v1/metrics?k=***");
  const bytes = Uint8Array.from(atob(basic?.slice("Basic ".length) ?? ""), (c) => c.charCodeAt(0));
  assert.equal(new TextDecoder().decode(bytes), "us@er:pä:ss");
  assert.equal(baseEndpoint(setting("https://h"), none, RECEIVERS).basic, undefined);
});

Deno.test("baseEndpoint() chooses the profile of Dynatrace by the path", () => {
  const isDynatrace = (url: string) =>
    baseEndpoint(setting(url), none, RECEIVERS).profile === PROFILES.dynatrace;
  assert.ok(isDynatrace("https://env.live.dynatrace.com/api/v2/otlp"));
  assert.ok(isDynatrace("https://activegate:9999/e/env/api/v2/otlp/v1/metrics"));
  assert.ok(!isDynatrace("https://env.live.dynatrace.com"));
});

Deno.test("baseEndpoint() names the proxy on the way without its credentials", () => {
  const environment = (name: string) =>
    name === "HTTPS_PROXY" ? "http://u:p@proxy:3128" : undefined;
  assert.equal(
    baseEndpoint(setting("https://h"), environment, RECEIVERS).proxy?.shown,
    "http://***:***@proxy:3128/",
  );
  assert.equal(baseEndpoint(setting("http://h"), environment, RECEIVERS).proxy, undefined);
});

for (
  const text of ["", "h", "localhost:4318", "/v1/metrics", "ftp://h", "http://", "grpc://h:4317"]
) {
  Deno.test(`baseEndpoint() throws a UsageError when given "${text}"`, () => {
    assert.throws(() => baseEndpoint(setting(text), none, RECEIVERS), (thrown) => {
      assert.ok(thrown instanceof UsageError);
      assert.match(thrown.message, /^Invalid --endpoint ".*" \(command line\): expected a URL /);
      return true;
    });
  });
}
