/** Replacement for a secret. */
export const HIDDEN = "***";

/** Formats a URL for display, with user name, password and the values of its query hidden. */
export function redactUrl(url: URL): string {
  if (!/[@?#]/.test(url.href)) return url.href;
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
  // An @ in the path is the end of a password that holds a slash, or of one behind a second scheme.
  if (shown.pathname.includes("@")) return redactUrlText(shown.href) + query;
  return shown.href.replace("//", `//${userinfo}`) + query;
}

/** Formats text that was meant as a URL and is not one, with possible secrets hidden. */
export function redactUrlText(text: string): string {
  // Whatever stands before the last @ may be part of a password: one that is not encoded can hold / and ?.
  const withoutUser = text.replace(/^([a-z][a-z0-9+.-]*:\/+|\/+)?.*(@|%40)/is, `$1${HIDDEN}$2`);
  const [shown = "", ...query] = withoutUser.split("?");
  return query.length === 0 ? shown : `${shown}?${redactQuery(query.join("?"))}`;
}

function redactQuery(query: string): string {
  return query.replace(/#.*$/s, "").split("&").map((pair) => {
    const equals = pair.indexOf("=");
    return equals < 0 ? HIDDEN : `${pair.slice(0, equals)}=${HIDDEN}`;
  }).join("&");
}

/** Returns a Dynatrace token's public part, up to its second dot (`dt0c01.PUBLIC.SECRET`); empty if it has none. */
export function publicPart(token: string): string {
  return /^dt\d[a-z]\d{2}\.[^.]+\./i.exec(token)?.[0] ?? "";
}

/** Formats a token for display: only its public part. */
export function redactToken(token: string): string {
  return publicPart(token) + HIDDEN;
}

/** Hides the secret part of everything in a text that looks like a Dynatrace token. */
export function redactTokens(text: string): string {
  return text.replace(/\b(dt\d[a-z]\d{2}\.[^.\s"']+\.)[^\s"',]+/gi, `$1${HIDDEN}`);
}
