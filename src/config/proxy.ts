/** The real environment: fetch reads its proxies there, whatever `.env` says. */
export type Environment = (name: string) => string | undefined;

/** The proxy that the environment names for a URL, by the rules that fetch follows; undefined: none. */
export function proxyFor(
  url: URL,
  environment: Environment,
): URL | undefined {
  const find = (name: string) => environment(name.toLowerCase()) || environment(name);
  const exempt = (find("NO_PROXY") ?? "").split(",").map((item) => item.trim()).filter(Boolean);
  if (exempt.some((item) => matches(url.hostname, item))) return undefined;
  const proxy = find(url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY") || find("ALL_PROXY");
  if (!proxy) return undefined;
  return parseProxy(proxy);
}

/** A proxy's URL; without a scheme it is http://. */
export function parseProxy(proxy: string): URL | undefined {
  return URL.parse(proxy.includes("://") ? proxy : `http://${proxy}`) ?? undefined;
}

/** A domain stands for itself and what is below it; `*` for everything. */
function matches(hostname: string, item: string): boolean {
  const domain = item.replace(/^\*?\./, "");
  return item === "*" || hostname === domain || hostname.endsWith(`.${domain}`);
}
