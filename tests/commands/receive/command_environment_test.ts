import assert from "node:assert/strict";
import { each } from "../../support/cases.ts";
import {
  commandEnvironment,
  SURROUNDING_VARIABLES,
} from "../../../src/commands/receive/command_environment.ts";

const SERVED = { url: "http://127.0.0.1:4318/v1/metrics", host: "127.0.0.1", tlsCert: undefined };

function environment(served: Partial<typeof SERVED>, env: Readonly<Record<string, string>> = {}) {
  return commandEnvironment({ ...SERVED, ...served }, { env: (name) => env[name], cwd: "/cwd" });
}

Deno.test("commandEnvironment() leads every exporter to the receiver, past a proxy", () => {
  assert.deepEqual(environment({}), {
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
    NO_PROXY: "127.0.0.1,localhost",
    no_proxy: "127.0.0.1,localhost",
  });
});

each(
  SURROUNDING_VARIABLES,
  (name) => `commandEnvironment() sets ${name} empty when it is set around it`,
  (name) => assert.equal(environment({}, { [name]: "http://elsewhere" })[name], ""),
);

Deno.test("commandEnvironment() empties what concerns one signal, and the headers of all", () => {
  const signals = ["METRICS", "TRACES", "LOGS", "PROFILES"];
  const settings = ["ENDPOINT", "PROTOCOL", "HEADERS", "CERTIFICATE", "COMPRESSION"];
  for (const signal of signals) {
    for (const setting of settings) {
      const name = `OTEL_EXPORTER_OTLP_${signal}_${setting}`;
      assert.ok(SURROUNDING_VARIABLES.includes(name), name);
    }
  }
  assert.ok(SURROUNDING_VARIABLES.includes("OTEL_EXPORTER_OTLP_HEADERS"));
});

Deno.test("commandEnvironment() adds to NO_PROXY in both spellings", () => {
  const both = environment({}, { NO_PROXY: "a.example", no_proxy: "b.example" });
  assert.equal(both["NO_PROXY"], "a.example,127.0.0.1,localhost");
  assert.equal(both["no_proxy"], "b.example,127.0.0.1,localhost");
  const one = environment({}, { no_proxy: "b.example" });
  assert.equal(one["NO_PROXY"], "b.example,127.0.0.1,localhost");
});

each(
  [
    [{ url: "http://0.0.0.0:1/v1/metrics", host: "0.0.0.0" }, "http://127.0.0.1:1"],
    [{ url: "http://[::]:1/v1/metrics", host: "::" }, "http://[::1]:1"],
    [{ url: "https://localhost:1/v1/metrics", host: "localhost" }, "https://localhost:1"],
  ] as const,
  ([{ host }, url]) => `commandEnvironment() makes --host ${host} the endpoint ${url}`,
  ([served, url]) => assert.equal(environment(served)["OTEL_EXPORTER_OTLP_ENDPOINT"], url),
);

Deno.test("commandEnvironment() lets the command trust --tls-cert, unless it trusts another", () => {
  const served = { ...SERVED, tlsCert: "cert.pem" };
  const name = "OTEL_EXPORTER_OTLP_CERTIFICATE";
  const env = (value?: string) => ({ env: (key: string) => key === name ? value : undefined });
  assert.equal(commandEnvironment(served, { ...env(), cwd: "/cwd" })[name], "/cwd/cert.pem");
  assert.equal(commandEnvironment(served, { ...env("/ca.pem"), cwd: "/cwd" })[name], undefined);
});
