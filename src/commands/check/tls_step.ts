import type { PeerCertificate } from "node:tls";
import type { Proxy } from "../../http/proxy.ts";
import type { SendConfig } from "../send_config.ts";
import { messageOf } from "../../platform/errors.ts";
import { tlsVersion } from "../../platform/older_deno.ts";
import { failureHint } from "../../http/hints.ts";
import type { Credentials } from "../../http/exchange.ts";
import { failure, withTlsHint } from "../../http/transport.ts";
import { isAddress, type Target, targetOf } from "../../http/target.ts";
import type { Bounds } from "./network_steps.ts";
import { openSocket, openTunnel } from "../../http/tunnel.ts";
import {
  type Facts,
  failedStep,
  passedStep,
  type Step,
  TIMED_OUT,
  withFacts,
  withinTime,
} from "./step.ts";

/** Longest time to read a certificate once the verdict on it is known, in ms. */
const SHOW_MS = 3000;

/** Runs the step `tls`: whether Deno, and so `send`, accepts the certificate, and what the certificate says. */
export async function checkTls(
  { destination }: SendConfig,
  credentials: Credentials,
  bounds: Bounds,
): Promise<Step> {
  const { endpoint, tls } = destination;
  const target = targetOf(endpoint.url);
  const timeoutMs = Math.min(bounds.timeoutMs, SHOW_MS);
  const ask = () => peer(target, credentials, endpoint.proxy, { ...bounds, timeoutMs });
  try {
    await withinTime(bounds.timeoutMs, bounds.stop, (signal) => {
      return handshake(target, credentials, endpoint.proxy, signal);
    });
    return trustedStep(await ask());
  } catch (thrown) {
    const verdict = failure(thrown);
    const isTimeout = verdict.message === TIMED_OUT;
    // A peer that did not answer shows no certificate either.
    const peerFacts = isTimeout || verdict.cause === "proxy" || bounds.stop.aborted
      ? NOTHING_KNOWN
      : await ask();
    // Through a tunnel Deno's TLS does not take the client's certificate: a server that requires one ended the handshake.
    const isWithoutClient = endpoint.proxy !== undefined && credentials.client !== undefined &&
      ["tls", "broken"].includes(verdict.cause);
    if (isWithoutClient && peerFacts.known) return trustedStep(peerFacts);
    // The TLS library cannot use unverified what it cannot read: a send meets the same failure.
    const isUnverified = tls.insecure && verdict.cause === "certificate";
    const { cause, message } = (isWithoutClient || isUnverified) && peerFacts.error !== undefined
      ? failure(peerFacts.error)
      : verdict;
    const what = isTimeout ? "no handshake in time" : message;
    const text = isTimeout ? `no handshake within ${bounds.timeoutMs / 1000} s` : message;
    if (isUnverified && peerFacts.known) {
      return withFacts(
        passedStep(
          `not verified, as INSECURE_SSL or --insecure asks; ${peerFacts.certificate}`,
          `verification would fail: ${what}`,
        ),
        peerFacts.facts,
      );
    }
    const shown = peerFacts.known ? `; ${peerFacts.certificate}` : "";
    const step = failedStep(
      what + shown,
      failureHint(
        await withTlsHint({
          kind: "failure",
          cause: isTimeout ? "timeout" : cause === "broken" ? "tls" : cause,
          message,
          mayHaveArrived: false,
        }, destination),
        // The tunnel is open: the proxy is not what is in the way.
        isTimeout || cause === "proxy" ? endpoint : { ...endpoint, proxy: undefined },
      ),
    );
    return withFacts(step, peerFacts.facts, text + shown);
  }
}

function trustedStep(readPeer: Peer): Step {
  return withFacts(
    passedStep(
      `${readPeer.version ?? "verified"}; ${readPeer.certificate}`,
      validityHint(readPeer),
    ),
    readPeer.facts,
  );
}

async function handshake(
  { host, port }: Target,
  credentials: Credentials,
  proxy: Proxy | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { ca, client } = credentials;
  const trust = ca === undefined ? {} : { caCerts: [ca] };
  const connection = proxy === undefined
    ? await Deno.connectTls({ hostname: host, port, ...trust, ...client })
    : await Deno.startTls(await openTunnel(proxy, { host, port }, credentials, signal), {
      hostname: host,
      ...trust,
    });
  const close = () => connection.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    await connection.handshake();
  } finally {
    signal.removeEventListener("abort", close);
    if (!signal.aborted) close();
  }
}

/** Certificate of the receiver in its own words, verified or not. */
interface Peer {
  readonly known: boolean;
  /** Reason for an unknown certificate. */
  readonly error?: unknown;
  readonly version: string | undefined;
  readonly certificate: string;
  /** End of its validity, in ms since 1970. */
  readonly until: number | undefined;
  readonly facts: Facts;
}

const NOTHING_KNOWN: Peer = {
  known: false,
  version: undefined,
  certificate: "",
  until: undefined,
  facts: {},
};

/** Reads the certificate with node:tls, because Deno's own TLS does not show it. */
async function peer(
  { host, port }: Target,
  credentials: Credentials,
  proxy: Proxy | undefined,
  { timeoutMs, stop }: Bounds,
): Promise<Peer> {
  try {
    const { connect } = await import("node:tls");
    return await withinTime(timeoutMs, stop, async (signal) => {
      const raw = await openSocket(proxy, { host, port }, credentials, signal);
      try {
        return await new Promise<Peer>((resolve, reject) => {
          raw.on("error", reject);
          const secured = connect({
            socket: raw,
            rejectUnauthorized: false,
            ...credentials.client,
            ...!isAddress(host) && { servername: host },
          });
          signal.addEventListener("abort", () => secured.destroy());
          secured.on("error", reject);
          secured.on("secureConnect", () => {
            resolve(peerOf(secured.getPeerCertificate(), tlsVersion(secured)));
            secured.destroy();
          });
        });
      } finally {
        raw.destroy();
      }
    });
  } catch (thrown) {
    return {
      ...NOTHING_KNOWN,
      error: thrown,
      certificate: `its certificate cannot be shown (${messageOf(thrown)})`,
    };
  }
}

function peerOf(certificate: PeerCertificate, version: string): Peer {
  const until = Date.parse(certificate.valid_to);
  const names = (certificate.subjectaltname ?? "").replaceAll("IP Address:", "").replaceAll(
    "DNS:",
    "",
  );
  const parts = [
    `certificate of ${names || distinguishedName(certificate.subject)}`,
    `issued by ${distinguishedName(certificate.issuer)}`,
    `valid from ${day(certificate.valid_from)} to ${day(certificate.valid_to)}`,
  ];
  const facts = {
    names: names.split(", ").filter((name) => name !== ""),
    issuer: distinguishedName(certificate.issuer),
    validFrom: day(certificate.valid_from),
    validTo: day(certificate.valid_to),
  };
  return { known: true, version, certificate: parts.join(", "), until, facts };
}

function distinguishedName({ CN, O }: PeerCertificate["subject"]): string {
  const named = [CN, O].find((part) => typeof part === "string" && part !== "");
  return named === undefined ? "nobody named" : String(named);
}

/** Formats OpenSSL's `Nov 22 22:28:27 2026 GMT` as a date. */
function day(text: string): string {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? text : new Date(ms).toISOString().slice(0, 10);
}

const SOON_DAYS = 14;

function validityHint({ until }: Peer): string | undefined {
  if (until === undefined || Number.isNaN(until)) return undefined;
  const days = Math.floor((until - Date.now()) / 86_400_000);
  return days < SOON_DAYS ? `the certificate expires in ${days} days: renew it` : undefined;
}
