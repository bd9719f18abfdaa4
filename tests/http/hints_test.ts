import assert from "node:assert/strict";
import { baseEndpoint } from "../../src/http/endpoint.ts";
import { failureHint, responseHint } from "../../src/http/hints.ts";
import type { Failure, FailureCause } from "../../src/http/reply.ts";
import { RECEIVERS } from "../../src/receivers/profiles.ts";

const at = (value: string) =>
  baseEndpoint({ name: "--endpoint", source: "command line", value }, () => undefined, RECEIVERS);
const failed = (cause: FailureCause, url: string, message = "") =>
  failureHint({ kind: "failure", cause, message, mayHaveArrived: false }, at(url)) ?? "";

const COLLECTOR = "http://collector:4318";

for (const cause of ["refused", "broken", "timeout", "tls"] as const) {
  Deno.test(`failureHint() says of port 4317 that it is gRPC's when the cause is "${cause}"`, () => {
    for (const url of ["http://collector:4317", "https://collector:4317"]) {
      assert.match(failed(cause, url), /4317 is gRPC; OTLP\/HTTP is 4318/);
    }
    if (cause !== "broken") assert.doesNotMatch(failed(cause, COLLECTOR), /4317/);
  });
}

Deno.test("failureHint() asks for https:// where plain HTTP is cut off or refused", () => {
  assert.match(failed("broken", COLLECTOR, "invalid HTTP version parsed"), /use https:\/\//);
  assert.match(failed("refused", "http://abc.live.dynatrace.com"), /use https:\/\//);
  assert.doesNotMatch(failed("broken", "https://h"), /use https/);
});

Deno.test("failureHint() does not blame the connection for a response that cannot be read", () => {
  for (const url of [COLLECTOR, "https://collector:4318"]) {
    for (
      const message of [
        "message head is too large",
        "invalid content-length parsed",
        "invalid HTTP header parsed",
        "Parse Error: Header overflow",
      ]
    ) {
      assert.match(
        failed("broken", url, message),
        /^the response of collector:4318 violates HTTP/,
      );
    }
  }
});

Deno.test("responseHint() reads a 400 in which nginx or Go asks for TLS, and has none for others", () => {
  const trouble = { kind: "reply", status: 400, headers: new Headers() } as const;
  for (
    const words of [
      "Client sent an HTTP request to an HTTPS server.",
      "The plain HTTP request was sent to HTTPS port",
    ]
  ) {
    const hint = responseHint(trouble, at(COLLECTOR), `400 Bad Request: ${words}`);
    assert.match(hint ?? "", /use https:\/\/ in the URL/);
  }
  assert.equal(responseHint(trouble, at(COLLECTOR), "400 Bad Request: no"), undefined);
});

Deno.test("hints name what answers, and the setting that leads there", () => {
  const failure: Failure = {
    kind: "failure",
    cause: "refused",
    message: "",
    mayHaveArrived: false,
  };
  assert.match(failureHint(failure, at(COLLECTOR)) ?? "", /start the receiver, or check the port/);
  assert.match(failureHint(failure, at(COLLECTOR), "query API") ?? "", /start the query API/);
  const headers = new Headers({ location: "https://sso.example/?token=SECRET" });
  assert.equal(
    responseHint({ kind: "reply", status: 302, headers }, at(COLLECTOR), "", "query API"),
    "the query API redirects to https://sso.example; redirects are not followed, so that a token never reaches " +
      "another host: set --endpoint to the final URL",
  );
});
