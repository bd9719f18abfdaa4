import { silenceDeprecations } from "../base/older_deno.ts";
import type { Endpoint } from "../config/endpoint.ts";
import { failureHint } from "../http/hints.ts";
import type { Failure, FailureCause } from "../http/reply.ts";
import { isAddress, type Target } from "../http/target.ts";
import { failure } from "../http/transport.ts";
import { failed, milliseconds, passed, type Step, TIMED_OUT, within } from "./step.ts";

/** How long a step may take, and what ends it. */
export interface Bounds {
  readonly timeoutMs: number;
  readonly stop: AbortSignal;
}

/** The step `dns`: the addresses of the receiver, or of the proxy that is used instead. */
export async function checkDns(
  { host }: Target,
  endpoint: Endpoint,
  { timeoutMs, stop }: Bounds,
): Promise<{ readonly step: Step; readonly addresses: readonly string[] }> {
  const instead = endpoint.proxy === undefined
    ? ""
    : `the proxy ${endpoint.proxy} is used instead of ${endpoint.url.hostname}: `;
  if (isAddress(host)) {
    return {
      step: passed(`${instead}${host} is an address, no name to look up`),
      addresses: [host],
    };
  }
  try {
    const addresses = await within(timeoutMs, stop, () => lookup(host));
    return { step: passed(`${instead}${host} is ${addresses.join(", ")}`), addresses };
  } catch (thrown) {
    const { message } = failure(thrown);
    const cause = message === TIMED_OUT ? "timeout" : "dns";
    return {
      step: failed(`${instead}${host}: ${message}`, hint(cause, message, endpoint)),
      addresses: [],
    };
  }
}

/** As fetch does it: /etc/hosts and all, which a DNS query alone would miss. It cannot be cancelled. */
async function lookup(host: string): Promise<readonly string[]> {
  await silenceDeprecations();
  const { lookup } = await import("node:dns/promises");
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
}

/** The step `tcp`: each address, and how long its connection took; one that opens is enough. */
export async function checkTcp(
  addresses: readonly string[],
  { port }: Target,
  endpoint: Endpoint,
  bounds: Bounds,
): Promise<Step> {
  const tries = await Promise.all(addresses.map((address) => open(address, port, bounds)));
  const detail = tries.map(({ address, message }) => {
    const shown = address.includes(":") ? `[${address}]` : address;
    return `${shown}:${port} ${message}`;
  }).join("; ");
  const shut = tries.find(({ cause }) => cause !== undefined);
  const advice = shut?.cause === undefined ? undefined : hint(shut.cause, shut.message, endpoint);
  const opened = tries.some(({ cause }) => cause === undefined);
  if (!opened) return failed(detail, advice);
  return shut === undefined ? passed(detail) : passed(
    detail,
    "not every address answers: a connection may take longer, or fail now and then",
  );
}

interface Try {
  readonly address: string;
  readonly message: string;
  /** Undefined when it opened. */
  readonly cause: FailureCause | undefined;
}

async function open(address: string, port: number, { timeoutMs, stop }: Bounds): Promise<Try> {
  const began = performance.now();
  try {
    const connection = await within(
      timeoutMs,
      stop,
      (signal) => Deno.connect({ hostname: address, port, signal }),
    );
    connection.close();
    const ms = milliseconds(performance.now() - began);
    return { address, message: `open in ${ms}`, cause: undefined };
  } catch (thrown) {
    const { cause, message } = failure(thrown);
    if (message === TIMED_OUT) {
      return { address, message: `timed out after ${timeoutMs / 1000} s`, cause: "timeout" };
    }
    return { address, message: cause === "refused" ? "refused" : message, cause };
  }
}

function hint(cause: FailureCause, message: string, endpoint: Endpoint): string | undefined {
  const nothing: Failure = { kind: "failure", cause, message, mayHaveArrived: false };
  return failureHint(nothing, endpoint);
}
