import type { Credentials } from "../../http/exchange.ts";
import { type Endpoint, exactEndpoint } from "../../http/endpoint.ts";
import type { Requester } from "../../http/requester.ts";
import { readFileOf } from "../../platform/paths.ts";
import { UsageError } from "../../platform/errors.ts";
import type { System } from "../../platform/system.ts";
import { isDynatraceBackend } from "../backend.ts";
import { RECEIVERS } from "../profiles.ts";
import type { Setting } from "../../settings/setting.ts";
import { GRAIL_TOKEN, type QueryConfig } from "./query_config.ts";

type Authorize = Credentials["authorization"];

/** Access to a query API: the Authorization value of each query. */
export interface QueryAccess {
  readonly authorization: Authorize;
  /** Forgets a token that can be renewed; undefined if there is none. */
  readonly renew?: () => void;
  /** Closes what gets tokens. */
  readonly close?: () => void;
}

type Open = (endpoint: Endpoint, authorization: Authorize) => Requester;

/** Opens the access to a query API, and adds every token to the secrets; `scopes` are those of an OAuth token. */
export async function openAccess(
  { authorization, backend, endpoint }: QueryConfig,
  scopes: string,
  receiver: Pick<Credentials, "authorization">,
  open: Open,
  system: Pick<System, "cwd" | "env" | "readTextFile" | "secrets" | "clock" | "stop">,
): Promise<QueryAccess> {
  const { secrets, clock } = system;
  const fixed = (value: string | undefined): QueryAccess => {
    if (value !== undefined) secrets.addHeader("authorization", value);
    return { authorization: () => Promise.resolve(value) };
  };
  switch (authorization.kind) {
    case "none":
      return fixed(undefined);
    case "value":
      return fixed(authorization.value);
    case "endpoint":
      return { authorization: receiver.authorization };
    case "token":
      return fixed(queryTokenValue(authorization.setting, backend));
    case "token-file":
      return {
        async authorization(signal) {
          const { name, source, value: path } = authorization.setting;
          const text = await readFileOf(`${name} (${source})`, path, system, signal);
          if (text.trim() === "") {
            throw new UsageError(`The token file of ${name}, "${path}", is empty`);
          }
          const token = {
            name: `token in the file of ${name}`,
            source: path,
            value: text,
            secret: true,
          } as const;
          const value = queryTokenValue(token, backend);
          secrets.addHeader("authorization", value);
          return value;
        },
      };
    case "oauth": {
      const { OauthTokens, SSO_URL } = await import("../dynatrace/query/oauth.ts");
      const { id, secret } = authorization;
      const sso = exactEndpoint({ ...endpoint.setting, value: SSO_URL }, system.env, RECEIVERS);
      const { request, close } = open(sso, () => Promise.resolve(undefined));
      const client = { id: id.value, secret: secret.value, scopes };
      const tokens = new OauthTokens(client, request, clock, secrets);
      return {
        authorization: (signal = system.stop) => tokens.authorization(signal),
        renew: () => tokens.forget(),
        close,
      };
    }
  }
}

/** Makes an Authorization value of a token: Dynatrace's schemes for Dynatrace, otherwise Bearer. */
function queryTokenValue(setting: Setting, backend: QueryConfig["backend"]): string {
  const text = setting.value.trim();
  if (!isDynatraceBackend(backend)) return /^(\S+)\s+\S/.test(text) ? text : `Bearer ${text}`;
  const value = RECEIVERS.tokens.authorization(setting);
  if (backend === "grail" && !value.startsWith("Bearer ")) {
    throw new UsageError(
      `The ${setting.name} (${setting.source}) is not a platform token: ${GRAIL_TOKEN}`,
    );
  }
  return value;
}
