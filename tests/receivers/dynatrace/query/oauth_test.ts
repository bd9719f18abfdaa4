import assert from "node:assert/strict";
import type { HttpRequest } from "../../../../src/http/requester.ts";
import type { Reply } from "../../../../src/http/reply.ts";
import { OauthTokens } from "../../../../src/receivers/dynatrace/query/oauth.ts";
import { Secrets } from "../../../../src/redact/secrets.ts";
import { SimulatedClock } from "../../../support/simulation.ts";

const CLIENT = {
  id: "dt0s02.CLIENT",
  secret: "dt0s02.CLIENT.CLIENTSECRET",
  scopes: "storage:metrics:read storage:buckets:read",
};
const signal = new AbortController().signal;

/** Tokens of a fake SSO, which names them by number. */
function start(status = 200) {
  const requests: HttpRequest[] = [];
  const clock = new SimulatedClock();
  const secrets = new Secrets();
  const request = (asked: HttpRequest): Promise<Reply> => {
    requests.push(asked);
    // Documented: the fields of the answer.
    const answer = {
      scope: "storage:metrics:read storage:buckets:read",
      token_type: "Bearer",
      expires_in: 300,
      access_token: `access-token-number-${requests.length}`,
      resource: "urn:dtenvironment:abc12345",
    };
    const body = status === 200 ? answer : { error: "invalid_client" };
    return Promise.resolve({
      kind: "reply",
      status,
      headers: new Headers(),
      body: new TextEncoder().encode(JSON.stringify(body)),
    });
  };
  return { tokens: new OauthTokens(CLIENT, request, clock, secrets), requests, clock, secrets };
}

Deno.test("OauthTokens asks with the client's credentials, and hides the token", async () => {
  const { tokens, requests, secrets } = start();
  assert.equal(await tokens.authorization(signal), "Bearer access-token-number-1");
  assert.equal(requests[0]?.url.href, "https://sso.dynatrace.com/sso/oauth2/token");
  assert.deepEqual(Object.fromEntries(new URLSearchParams(requests[0]?.body)), {
    grant_type: "client_credentials",
    client_id: CLIENT.id,
    client_secret: CLIENT.secret,
    scope: "storage:metrics:read storage:buckets:read",
  });
  assert.equal(secrets.hide("got access-token-number-1"), "got ***");
});

Deno.test("OauthTokens renews a token before its end, and one that is not accepted", async () => {
  const { tokens, requests, clock } = start();
  await tokens.authorization(signal);
  await clock.run(clock.sleep(269_000, signal));
  await tokens.authorization(signal);
  assert.equal(requests.length, 1);
  await clock.run(clock.sleep(1000, signal));
  assert.equal(await tokens.authorization(signal), "Bearer access-token-number-2");
  tokens.forget();
  assert.equal(await tokens.authorization(signal), "Bearer access-token-number-3");
});

Deno.test("OauthTokens names the client's variables when the SSO refuses", async () => {
  await assert.rejects(
    start(401).tokens.authorization(signal),
    /no OAuth token from sso\.dynatrace\.com: 401, invalid_client\. Check DT_QUERY_CLIENT_ID/,
  );
});
