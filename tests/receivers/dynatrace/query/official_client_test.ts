import type { QueryExecutionClient } from "@dynatrace-sdk/client-query";
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { verifyCanary } from "../../../../src/commands/verify/canary.ts";
import { figuresQuery } from "../../../../src/receivers/dynatrace/query/dql.ts";
import { systemClock } from "../../../../src/platform/clock.ts";
import {
  CANARY_METRIC,
  type DynatraceModes,
  startDynatrace,
} from "../../../support/fake_dynatrace.ts";

// Dynatrace's own client is the oracle of the fake: it reads the fake's answers without an error, and finds in them
// what its types say is there.

// These modules of CommonJS have no exports that Deno can see before it runs them.
const require = createRequire(import.meta.url);
const http: typeof import("@dynatrace-sdk/http-client") = require("@dynatrace-sdk/http-client");
const query: typeof import("@dynatrace-sdk/client-query") = require("@dynatrace-sdk/client-query");

/** Sends one histogram to a fake environment, and queries it with the official client. */
async function withClient(
  modes: DynatraceModes,
  work: (client: QueryExecutionClient, query: string) => Promise<void>,
): Promise<void> {
  await using environment = startDynatrace(modes);
  const { request, run } = await verifyCanary(CANARY_METRIC, "run1", "none", systemClock);
  const answer = await fetch(`${environment.url}/api/v2/otlp/v1/metrics`, {
    method: "POST",
    body: request.body,
  });
  await answer.body?.cancel();
  const platform = new http.PlatformHttpClient({
    baseUrl: environment.url,
    defaultHeaders: { Authorization: "Bearer dt0s16.PUBLIC.SECRET" },
  });
  await work(new query.QueryExecutionClient(platform), figuresQuery("m", run, systemClock.wall()));
}

Deno.test("Dynatrace's client reads the result that the fake has at once", async () => {
  await withClient({}, async (client, query) => {
    const { state, result } = await client.queryExecute({ body: { query } });
    assert.equal(state, "SUCCEEDED");
    const [record] = result?.records ?? [];
    assert.deepEqual(record?.["n"], [null, 20, null]);
    assert.ok(result?.types[0]?.mappings["n"] !== undefined);
    assert.ok(result?.metadata.grail?.analysisTimeframe?.start !== undefined);
  });
});

Deno.test("Dynatrace's client polls the fake, with the token percent-encoded", async () => {
  await withClient({ grail: { running: 1 } }, async (client, query) => {
    const started = await client.queryExecute({ body: { query } });
    assert.equal(started.state, "RUNNING");
    const requestToken = started.requestToken ?? "";
    assert.match(requestToken, /[+/=]/);
    const running = await client.queryPoll({ requestToken });
    assert.equal(running.state, "NOT_STARTED");
    const { state, result } = await client.queryPoll({ requestToken });
    assert.deepEqual([state, result?.records.length], ["SUCCEEDED", 1]);
    await client.queryCancel({ requestToken });
  });
});

Deno.test("Dynatrace's client knows the errors of the fake", async () => {
  await withClient({}, async (client) => {
    await assert.rejects(
      client.queryExecute({ body: { query: "limt 5" } }),
      (error: unknown) => {
        const { code, message, details } = Object(error).body.error;
        assert.deepEqual([code, message], [400, "UNKNOWN_COMMAND"]);
        assert.equal(details.syntaxErrorPosition.start.column, 1);
        return true;
      },
    );
    await assert.rejects(
      client.queryPoll({ requestToken: "unknown" }),
      (error: unknown) => Object(error).body.error.code === 400,
    );
  });
});
