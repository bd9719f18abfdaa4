/** Address of a connection: the receiver's, or that of its proxy. */
export interface Target {
  /** Host, without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
}

/** Returns the target of a URL. */
export function targetOf(url: URL): Target {
  const port = url.port !== "" ? Number(url.port) : url.protocol === "https:" ? 443 : 80;
  return { host: withoutBrackets(url.hostname), port };
}

/** Returns a host as in a URL: an IPv6 address in brackets. */
export function inBrackets(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** Returns a host of a URL without the brackets of an IPv6 address. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

/** Whether a host is an IP address, without brackets. */
export function isAddress(host: string): boolean {
  return host.includes(":") || /^\d+(\.\d+){3}$/.test(host);
}
