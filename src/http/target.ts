/** Address of a connection: the receiver's, or that of its proxy. */
export interface Target {
  /** Host, without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
}

/** Returns the target of a URL. */
export function targetOf(url: URL): Target {
  const port = url.port !== "" ? Number(url.port) : url.protocol === "https:" ? 443 : 80;
  return { host: url.hostname.replace(/^\[(.*)\]$/, "$1"), port };
}

/** Whether a host is an IP address, without brackets. */
export function isAddress(host: string): boolean {
  return host.includes(":") || /^\d+(\.\d+){3}$/.test(host);
}
