/** What stands in place of a secret. */
const HIDDEN = "***";

/** A URL as it may be shown: user name, password and the values of its query are hidden. */
export function redactUrl(url: URL): string {
  const shown = new URL(url);
  const { username, password } = shown;
  shown.username = "";
  shown.password = "";
  shown.search = "";
  shown.hash = "";
  const userinfo = username === "" && password === ""
    ? ""
    : `${username === "" ? "" : HIDDEN}${password === "" ? "" : `:${HIDDEN}`}@`;
  const query = url.search === "" ? "" : `?${redactQuery(url.search.slice(1))}`;
  return shown.href.replace("//", `//${userinfo}`) + query;
}

/** Text that was meant as a URL and is none, with what may be secret in it hidden. */
export function redactUrlText(text: string): string {
  // Whatever stands before the last @ may be part of a password: one that is not encoded can hold / and ?.
  const withoutUser = text.replace(/^([a-z][a-z0-9+.-]*:\/+|\/+)?.*@/is, `$1${HIDDEN}@`);
  const [shown = "", ...query] = withoutUser.split("?");
  return query.length === 0 ? shown : `${shown}?${redactQuery(query.join("?"))}`;
}

function redactQuery(query: string): string {
  return query.replace(/#.*$/s, "").split("&").map((pair) => {
    const equals = pair.indexOf("=");
    return equals < 0 ? HIDDEN : `${pair.slice(0, equals)}=${HIDDEN}`;
  }).join("&");
}

/** The shortest text that is hidden where it occurs: a shorter one would hide half of every message. */
const SHORTEST_SECRET = 4;

/** Hides the secrets in a text that somebody else wrote: a receiver may repeat a token in its answer. */
export function redactSecrets(text: string, secrets: readonly string[]): string {
  return [...secrets].sort((a, b) => b.length - a.length).reduce(
    (hidden, secret) =>
      secret.length < SHORTEST_SECRET ? hidden : hidden.replaceAll(secret, HIDDEN),
    text,
  );
}

/** A Dynatrace token's public part, up to its second dot (`dt0c01.PUBLIC.SECRET`); the rest is secret. */
export function redactToken(token: string): string {
  const publicPart = /^dt\d[a-z]\d{2}\.[^.]+\./.exec(token)?.[0];
  return (publicPart ?? "") + HIDDEN;
}

/** Hides the secret part of whatever in a text looks like a Dynatrace token. */
export function redactTokens(text: string): string {
  return text.replace(/\b(dt\d[a-z]\d{2}\.[^.\s"']+\.)[^\s"',]+/gi, `$1${HIDDEN}`);
}
