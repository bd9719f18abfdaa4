import type { HttpRequest, Requester } from "../../../http/requester.ts";
import { UsageError } from "../../../platform/errors.ts";
import type { Clock } from "../../../platform/clock.ts";
import { isObject, parseJson } from "../../../platform/json_object.ts";
import type { Secrets } from "../../../redact/secrets.ts";

/** Token endpoint of Dynatrace's SSO. */
export const SSO_URL = "https://sso.dynatrace.com/sso/oauth2/token";

/** Client of Dynatrace's SSO. */
export interface OauthClient {
  readonly id: string;
  readonly secret: string;
  /** Scopes of its tokens, with spaces between them. */
  readonly scopes: string;
}

/** Time in ms before its end at which a token is no longer used. A token lives for 300 s. */
const SPARE_MS = 30_000;

/** Tokens of an OAuth client (grant type client_credentials), each used until shortly before its end. */
export class OauthTokens {
  readonly #client: OauthClient;
  readonly #request: Requester["request"];
  readonly #url: URL;
  readonly #clock: Clock;
  readonly #secrets: Secrets;
  #token: string | undefined;
  #until = -Infinity;

  constructor(
    client: OauthClient,
    request: Requester["request"],
    clock: Clock,
    secrets: Secrets,
    url: URL = new URL(SSO_URL),
  ) {
    this.#client = client;
    this.#request = request;
    this.#clock = clock;
    this.#secrets = secrets;
    this.#url = url;
  }

  /** Returns the Authorization value; gets a new token when there is none that lasts. Throws a UsageError without one. */
  async authorization(signal: AbortSignal): Promise<string> {
    if (this.#token !== undefined && this.#clock.monotonic() < this.#until) return this.#token;
    const { id, secret, scopes } = this.#client;
    const form = new URLSearchParams({
      grant_type: "client_credentials",
      client_id: id,
      client_secret: secret,
      scope: scopes,
    });
    const request: HttpRequest = {
      method: "POST",
      url: this.#url,
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        accept: "application/json",
      },
      body: form.toString(),
    };
    const reply = await this.#request(request, signal);
    const where = `no OAuth token from ${this.#url.host}`;
    if (reply.kind === "failure") throw new UsageError(`${where}: ${reply.message}`);
    const json = parseJson(new TextDecoder().decode(reply.body));
    const { access_token: token, expires_in: seconds, error_description, error } = isObject(json)
      ? json
      : {};
    if (reply.status !== 200 || typeof token !== "string") {
      const words = [error_description, error].find((text) => typeof text === "string") ?? "";
      throw new UsageError(
        `${where}: ${reply.status}${words === "" ? "" : `, ${words}`}. Check DT_QUERY_CLIENT_ID, ` +
          `DT_QUERY_CLIENT_SECRET and the client's scopes (${scopes})`,
      );
    }
    this.#secrets.addHeader("authorization", token);
    this.#token = `Bearer ${token}`;
    const livesMs = 1000 * (typeof seconds === "number" ? seconds : 300);
    this.#until = this.#clock.monotonic() + Math.max(0, livesMs - SPARE_MS);
    return this.#token;
  }

  /** Forgets the token, which the query API no longer accepts. */
  forget(): void {
    this.#token = undefined;
  }
}
