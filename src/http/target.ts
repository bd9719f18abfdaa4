/** Where a connection is opened to: the receiver, or the proxy in front of it. */
export interface Target {
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
}

/** Whom to connect to. */
export function targetOf(url: URL, proxy: URL | undefined): Target {
  const to = proxy ?? url;
  const port = to.port !== "" ? Number(to.port) : to.protocol === "https:" ? 443 : 80;
  return { host: to.hostname.replace(/^\[(.*)\]$/, "$1"), port };
}

export function isAddress(host: string): boolean {
  return host.includes(":") || /^\d+(\.\d+){3}$/.test(host);
}
