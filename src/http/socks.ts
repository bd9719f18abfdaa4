import { addressOf, type Proxy } from "./proxy.ts";
import { type Line, readExactly, writeAll } from "./line.ts";
import type { Target } from "./target.ts";

/** Asks a SOCKS5 proxy for a connection to the target (RFC 1928, 1929); rejects when it refuses. */
export async function connectSocks(
  line: Line,
  { credentials }: Pick<Proxy, "credentials">,
  { host, port }: Target,
): Promise<void> {
  await writeAll(line, credentials === undefined ? [5, 1, 0] : [5, 2, 0, 2]);
  const [version, method] = await readExactly(line, 2);
  if (version !== 5) throw new Error("Invalid response version: the proxy does not speak SOCKS5");
  if (method === 2 && credentials !== undefined) {
    await writeAll(line, [1, ...withLength(credentials.user), ...withLength(credentials.password)]);
    const [, status] = await readExactly(line, 2);
    if (status !== 0) throw new Error("the proxy rejected the user name and password");
  } else if (method !== 0) {
    throw new Error("the proxy does not accept any of the offered authentication methods");
  }
  await writeAll(line, [5, 1, 0, ...destination(host), port >> 8, port & 0xff]);
  const [, reply = 0, , type] = await readExactly(line, 4);
  if (reply !== 0) throw new Error(`the proxy answered: ${REPLIES[reply - 1] ?? `error ${reply}`}`);
  // The address that it connects from, and a port.
  const length = type === 1 ? 4 : type === 4 ? 16 : (await readExactly(line, 1))[0] ?? 0;
  await readExactly(line, length + 2);
}

/** Errors of RFC 1928, 6, from 1 on. */
const REPLIES = [
  "general SOCKS server failure",
  "connection not allowed by ruleset",
  "network unreachable",
  "host unreachable",
  "connection refused",
  "TTL expired",
  "command not supported",
  "address type not supported",
];

/** Encodes the target. The proxy looks up names, as in fetch, whether the scheme is socks5 or socks5h. */
function destination(host: string): readonly number[] {
  const address = addressOf(host);
  if (address === undefined) return [3, ...withLength(host)];
  const { bits, width } = address;
  const bytes = Array.from(
    { length: width / 8 },
    (_, i) => Number(bits >> BigInt(width - 8 * (i + 1)) & 0xffn),
  );
  return [width === 32 ? 1 : 4, ...bytes];
}

function withLength(text: string): readonly number[] {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > 255) throw new Error("SOCKS5 allows 255 bytes for a name or password");
  return [bytes.length, ...bytes];
}
