import type { Line, Output } from "./lines.ts";
import type { Outcome } from "./outcome.ts";
import type { Program, ProgramOptions } from "./program.ts";
import type { ProxyOptions } from "./proxy.ts";
import type { ExportAnswer, Receiver, ServerTls } from "./receiver.ts";
import type { SampleRequest } from "./sample.ts";

/** Part of every secret in a fixture: nothing that the program writes may hold it. */
export const MARK = "S3CRET";
/** An access token of the shape that Dynatrace's have, so that no rule is broken by it. */
export const TOKEN = `dt0c01.${"PUBLIC".padEnd(24, "A")}.${`${MARK}TOKEN`.padEnd(64, "B")}`;
export const USER = `user-${MARK}`;
export const PASSWORD = `pass-${MARK}`;
/** In each fixture that does not set them itself: a token and a header that must not be seen. */
export const SECRETS = {
  DT_API_TOKEN: TOKEN,
  OTEL_EXPORTER_OTLP_HEADERS: `x-scope=${MARK}HEADER`,
} as const;

/**
 * Input of a run of the program, and its expected result. In arguments, variables, `.env` and files `{url}`,
 * `{port}`, `{secretUrl}` (user name, password and query in it), `{proxy}` and `{secretProxy}` are replaced by what was
 * started for the fixture.
 */
export interface Fixture extends Setup, Expectation {
  readonly name: string;
  /** Why it cannot run here, which its name then tells. */
  readonly ignore?: string | undefined;
}

export interface Setup {
  /** By default `--endpoint {secretUrl}`. */
  readonly args?: readonly string[];
  /** Added to a token and a header; an empty text leaves one of them out. */
  readonly env?: Readonly<Record<string, string>>;
  /** Without that token and that header. */
  readonly bare?: boolean;
  readonly dotenv?: string;
  /** Path in the working directory, and content. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly stdin?: ProgramOptions["stdin"];
  /** Answers of the receiver, one per request; after the last, 200 with an empty body. */
  readonly answers?: readonly ExportAnswer[];
  readonly tls?: ServerTls | "broken";
  /** Nothing is listening at the receiver's port. */
  readonly stopped?: boolean;
  readonly proxy?: ProxyOptions;
  /** Meets the program while it runs: sends it a signal, for example, once it has printed what shows where it is. */
  readonly meanwhile?: (world: World) => Promise<void>;
  /** Killed after that, which fails; a minute by default. */
  readonly timeoutMs?: number;
}

export interface Expectation {
  /** The exit status, 0 by default; "any": the fixture's own to check. */
  readonly status?: number | "any";
  /** Every line that is printed. By default there is none. */
  readonly stdout?: Output;
  readonly stderr?: Output;
  /** The JSON warning about the sample is part of `stderr`; otherwise it is left out. */
  readonly samplesTold?: true;
  /** Warnings about skipped sends are part of `stderr`; otherwise they are left out, as a busy machine makes some. */
  readonly skipsTold?: true;
  /** Requests of the sample: how many, or what each is like; 1 by default. Each is looked through in any case. */
  readonly requests?: number | readonly SampleRequest[];
  /** In place of `requests` where they hold something else: how many. */
  readonly posts?: number | "any";
  /** The receiver may have taken what the program cannot know of, or counts otherwise than it answers. */
  readonly ambiguous?: boolean;
  /** Not made by the program: metrics of any kind, whose counts are the fixture's to check. */
  readonly foreign?: boolean;
  readonly check?: (outcome: Outcome) => void | Promise<void>;
}

export interface World {
  readonly program: Program;
  readonly receiver: Receiver;
}

/** A refusal before anything is sent: exit status 2, and one or more lines that say why. */
export function usageError(
  name: string,
  setup: Setup,
  ...lines: readonly Line[]
): Fixture {
  return { name, ...setup, status: 2, stderr: lines, requests: 0 };
}
