import { silenceDeprecations } from "../../platform/older_deno.ts";
import type { Endpoint } from "../../http/endpoint.ts";
import { failureHint } from "../../http/hints.ts";
import { reachHint } from "../../http/proxy_hints.ts";
import type { Failure, FailureCause } from "../../http/reply.ts";
import { inBrackets, isAddress, type Target } from "../../http/target.ts";
import { failure } from "../../http/transport.ts";
import {
  failedStep,
  milliseconds,
  passedStep,
  type Step,
  TIMED_OUT,
  withFacts,
  withinTime,
} from "./step.ts";

/** Bounds of a step: its longest time, and the signal that ends it. */
export interface Bounds {
  readonly timeoutMs: number;
  readonly stop: AbortSignal;
}

/** Runs the step `dns`: finds the addresses of the receiver, or of its proxy. */
export async function checkDns(
  { host }: Target,
  endpoint: Endpoint,
  { timeoutMs, stop }: Bounds,
): Promise<{ readonly step: Step; readonly addresses: readonly string[] }> {
  const { proxy, url: { hostname } } = endpoint;
  const tell = (step: Step, addresses: readonly string[]): Step => {
    if (proxy === undefined) return withFacts(step, { host, addresses });
    return withFacts(
      { ...step, detail: `a proxy is used instead of ${hostname}: ${step.detail}` },
      { host, addresses, proxy: proxy.shown },
      `the proxy ${proxy.shown} is used instead of ${hostname}: ${step.text}`,
    );
  };
  if (isAddress(host)) {
    return {
      step: tell(passedStep(`${host} is an IP address, nothing to look up`), [host]),
      addresses: [host],
    };
  }
  try {
    const addresses = await withinTime(timeoutMs, stop, () => lookup(host));
    return { step: tell(passedStep(`${host} is ${addresses.join(", ")}`), addresses), addresses };
  } catch (thrown) {
    const { message } = failure(thrown);
    const cause = message === TIMED_OUT ? "timeout" : "dns";
    const step = failedStep(`${host}: ${message}`, hint(cause, message, endpoint));
    return { step: tell(step, []), addresses: [] };
  }
}

/** Looks a name up as fetch does, in /etc/hosts too, which a DNS query would miss. It cannot be cancelled. */
async function lookup(host: string): Promise<readonly string[]> {
  await silenceDeprecations();
  const { lookup } = await import("node:dns/promises");
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
}

/** Runs the step `tcp`: connects to each address; one that opens is enough. */
export async function checkTcp(
  addresses: readonly string[],
  { port }: Target,
  endpoint: Endpoint,
  bounds: Bounds,
): Promise<Step> {
  const tries = await Promise.all(addresses.map((address) => tryAddress(address, port, bounds)));
  const listed = (say: (tried: Attempt) => string) =>
    tries.map((tried) => `${tried.address} ${say(tried)}`).join("; ");
  const detail = listed(({ message }) => message);
  const text = listed(({ message, cause, ms }) =>
    cause === undefined
      ? `${message} in ${milliseconds(ms)}`
      : cause === "timeout"
      ? `${message} after ${bounds.timeoutMs / 1000} s`
      : message
  );
  const connections = tries.map(({ address, cause, message, ms }) => ({
    address,
    ok: cause === undefined,
    durationMs: Math.round(ms * 10) / 10,
    ...cause !== undefined && { message },
  }));
  const shut = tries.find(({ cause }) => cause !== undefined);
  const opened = tries.some(({ cause }) => cause === undefined);
  const step = shut?.cause === undefined ? passedStep(detail) : opened
    ? passedStep(
      detail,
      "not every address answers: connections may take longer or fail occasionally",
    )
    : failedStep(detail, hint(shut.cause, shut.message, endpoint));
  return withFacts(step, { port, connections }, text);
}

interface Attempt {
  /** Address with its port. */
  readonly address: string;
  readonly message: string;
  /** Cause of the failure; undefined if it opened. */
  readonly cause: FailureCause | undefined;
  readonly ms: number;
}

async function tryAddress(ip: string, port: number, { timeoutMs, stop }: Bounds): Promise<Attempt> {
  const address = `${inBrackets(ip)}:${port}`;
  const began = performance.now();
  const tried = (message: string, cause?: FailureCause): Attempt => {
    return { address, message, cause, ms: performance.now() - began };
  };
  try {
    const connection = await withinTime(
      timeoutMs,
      stop,
      (signal) => Deno.connect({ hostname: ip, port, signal }),
    );
    connection.close();
    return tried("open");
  } catch (thrown) {
    const { cause, message } = failure(thrown);
    if (message === TIMED_OUT) return tried(message, "timeout");
    return tried(cause === "refused" ? "refused" : message, cause);
  }
}

function hint(cause: FailureCause, message: string, endpoint: Endpoint): string | undefined {
  const { proxy, url } = endpoint;
  // It was the proxy that was looked up and connected to.
  if (proxy !== undefined) return reachHint(cause, { url, proxy });
  const nothing: Failure = { kind: "failure", cause, message, mayHaveArrived: false };
  return failureHint(nothing, endpoint);
}
