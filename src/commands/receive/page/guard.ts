import { inBrackets, isAddress, withoutBrackets } from "../../../http/target.ts";

/** Address at which the receiver listens. */
export interface ListenAddress {
  /** Name or address as it was given, without brackets. */
  readonly host: string;
  readonly port: number;
  readonly scheme: "http" | "https";
}

/**
 * Returns why a request for the page is refused; undefined if it is answered. A page of another site can make a
 * browser ask under a name of its own (DNS rebinding) or from its own origin: neither may see the data.
 */
export function pageRefusal(request: Request, listener: ListenAddress): string | undefined {
  const { headers } = request;
  const requested = URL.parse(request.url)?.host ?? "";
  const named = headers.get("Host") ?? requested;
  if (![requested, named].every((host) => isOwnHost(host, listener))) {
    return `Host "${named}" is not this receiver: open ${ownUrl(listener)}`;
  }
  const origin = headers.get("Origin");
  if (origin !== null && origin !== `${listener.scheme}://${named}`) {
    return `Origin "${origin}" is another site`;
  }
  const site = headers.get("Sec-Fetch-Site");
  if (site === null || site === "same-origin" || site === "none") return undefined;
  // A link that somebody follows is not another site that reads ours.
  const isVisit = headers.get("Sec-Fetch-Mode") === "navigate" &&
    headers.get("Sec-Fetch-Dest") === "document";
  return isVisit ? undefined : "the request comes from another site";
}

function isOwnHost(host: string, listener: ListenAddress): boolean {
  const url = URL.parse(`${listener.scheme}://${host}`);
  if (url === null || url.host === "" || url.pathname !== "/" || url.username !== "") return false;
  const name = url.hostname;
  // An address cannot be rebound, and the ports of a container are mapped.
  if (isWildcard(listener.host)) return name === "localhost" || isAddress(withoutBrackets(name));
  const port = Number(url.port || (listener.scheme === "https" ? 443 : 80));
  return port === listener.port && ownNames(listener.host).includes(name);
}

function ownNames(host: string): readonly string[] {
  const own = inBrackets(host.toLowerCase());
  return isLoopback(host) ? ["localhost", "127.0.0.1", "[::1]", own] : [own];
}

function ownUrl({ host, port, scheme }: ListenAddress): string {
  return `${scheme}://${isWildcard(host) ? "localhost" : inBrackets(host)}:${port}/`;
}

/** Whether only this machine can reach that host. */
export function isLoopback(host: string): boolean {
  return host.toLowerCase() === "localhost" || host === "::1" ||
    /^127(\.\d+){1,3}$/.test(host);
}

function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}
