import assert from "node:assert/strict";
import type { Ledger } from "../../src/delivery/delivering.ts";
import { decode } from "./decode.ts";
import type { Expectation, Fixture, Setup, World } from "./fixture.ts";
import { error, like, type Line, repeated, warning } from "./lines.ts";
import type { ExportAnswer } from "./receiver.ts";
import { SPLITTABLE_ARGS } from "./sample.ts";
import { type TestCase, testCases } from "./cases.ts";
import { runFixture } from "./run_fixture.ts";
import { lostMessage, unseenMessage } from "./wording.ts";

/**
 * A kind of trouble, and what has to become of the five measurements of each send. The harness also asserts that the
 * ledger adds up, that the exit status is the summary's, and that what the receiver answered with 200 is what the
 * program says it delivered.
 */
export interface Fault extends Setup, Pick<Expectation, "posts" | "ambiguous" | "check"> {
  readonly name: string;
  /** Added to `--output json`; by default `--endpoint {url}`. */
  readonly args?: readonly string[];
  /** Lines on standard error; none by default. */
  readonly said?: readonly Line[];
  /** The numbers of the summary: five measurements, all in one of the others, unless it says more. */
  readonly expect: Partial<Ledger> & {
    readonly status?: number;
    /** Outcome of the only send. */
    readonly outcome?: string;
    readonly possiblyDuplicated?: boolean;
    /** Lines of sends in place of the only one, where there are more. */
    readonly sends?: readonly Line[];
  };
}

/** Arguments of a loop to the receiver. */
export const LOOP = ["--endpoint", "{url}", "--loop"] as const;
/** Arguments of a request that is large enough to be split. */
export const LARGE = ["--endpoint", "{url}", ...SPLITTABLE_ARGS] as const;
/** Arguments of a spool in the working directory. */
export const SPOOL = ["--spool", "spool"] as const;
/** Measurements of one send. */
export const FIVE = 5;

/** The warning about an attempt that failed and is retried. */
export const RETRY = warning(/^attempt \d+ failed: /);
/** Any number of retries. */
export const RETRIES = repeated(RETRY);
/** The warning that a request may have arrived twice. */
export const DUPLICATED = warning(/^possibly duplicated: /);
/** The warning that a request is split. */
export const HALVED = warning(/^413 Content Too Large: resending it in two halves/);
/** The error about a send that failed and will be retried. */
export const NOT_YET = error(/^5 measurements not delivered yet: /);
/** Any number of messages that depend on how fast the machine is. */
export const SOME = repeated(like({ type: "error", message: /not delivered yet/ }));
/** Any number of sends, on time or late. */
export const SENDS = repeated(like({ type: /^(send|late)$/, outcome: /^(accepted|failed)$/ }));
/** The error about one send that is lost. */
export const LOST_SAID = error(lostMessage());
/** The error about one send that stays in the spool. */
export const KEPT_SAID = error(
  /^5 measurements not delivered, kept in spool: the next start sends them/,
);
/** The error about one send that the receiver rejected. */
export const refusedFor = (why: RegExp) =>
  error(new RegExp(`^5 measurements not delivered: .*${why.source}`));

/** The warning about a response whose body could not be read. */
export const unseen = (why: RegExp) => warning(unseenMessage(why));

/** The send is delivered. */
export const DELIVERED = { delivered: FIVE, outcome: "accepted" } as const;
/** The send is rejected. */
export const REJECTED = { rejected: FIVE, outcome: "rejected" } as const;
/** The send is lost. */
export const LOST = { dropped: FIVE, outcome: "failed" } as const;
/** The send stays in the spool. */
export const KEPT = { pending: FIVE, outcome: "failed" } as const;

/** Sends the program a signal. */
export const signal = (name: Deno.Signal) => ({ program }: World) =>
  Promise.resolve(program.signal(name));
/** Waits for a number of requests. */
export const whenAsked = (count: number) => ({ receiver }: World) =>
  receiver.waitForRequests(count).then(() => {});
/** Waits until the program backs off. */
export const whenBackingOff = ({ program }: World) =>
  program.waitForStderr("retrying in").then(() => {});
/** Waits until the program has reported a number of sends. */
export const whenReported = (count: number) => ({ program }: World) =>
  program.waitForStdout(new RegExp(`(?:"type":"send"[^]*){${count}}`)).then(() => {});
/** Runs one step after the other. */
export const inTurn =
  (...steps: readonly ((world: World) => Promise<void>)[]) => async (world: World) => {
    for (const step of steps) await step(world);
  };

/** The fixture of a fault. */
export function fixtureOf(fault: Fault): Fixture {
  const { name, args = ["--endpoint", "{url}"], said = [], expect, ...rest } = fault;
  const { status, outcome, possiblyDuplicated, sends, ...counts } = expect;
  const send = like({
    type: "send",
    measurements: FIVE,
    ...outcome !== undefined && { outcome },
    ...possiblyDuplicated !== undefined && { possiblyDuplicated },
  });
  const ledger: Ledger = {
    recorded: FIVE,
    delivered: 0,
    rejected: 0,
    dropped: 0,
    pending: 0,
    ...counts,
  };
  const exitCode = status ?? (ledger.delivered === ledger.recorded ? 0 : 1);
  return {
    posts: 1,
    ...rest,
    name: `faults: ${name}`,
    args: ["--output", "json", ...args],
    status: exitCode,
    stdout: [...sends ?? [send], like({ type: "summary", exitCode, ...ledger })],
    stderr: said,
    async check(outcome) {
      if (args.includes("spool")) {
        const { length } = await kept(outcome.program.directory);
        assert.equal(length > 0, ledger.pending > 0, "what is pending is in the spool");
      }
      await fault.check?.(outcome);
    },
  };
}

/** A response with Retry-After, as a text or made when it is sent. */
export const retryAfter = (value: string | (() => string), status = 429): ExportAnswer => () => ({
  status,
  headers: { "retry-after": typeof value === "string" ? value : value() },
});

/** Names of the requests in the spool. */
export async function kept(directory: string): Promise<readonly string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(`${directory}/spool`)) {
      if (name.includes(".otlp")) names.push(name);
    }
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.NotFound)) throw thrown;
  }
  return names;
}

/** The number of data points in a request. */
export function pointsIn(content: Uint8Array): number {
  return decode(content).metrics.reduce((sum, { points }) => sum + points.length, 0);
}

/** Defines a test for each fault, and for each story: a test of several processes or receivers. */
export function testFaults(faults: readonly Fault[], stories: readonly TestCase[] = []): void {
  testCases([
    ...faults.map(fixtureOf).map((fixture) => ({ ...fixture, run: () => runFixture(fixture) })),
    ...stories.map((story) => ({ ...story, name: `faults: ${story.name}` })),
  ]);
}
