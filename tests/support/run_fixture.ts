import assert from "node:assert/strict";
import { testCases } from "./cases.ts";
import {
  type Expectation,
  type Fixture,
  MARK,
  PASSWORD,
  SECRETS,
  type Setup,
  USER,
} from "./fixture.ts";
import { assertWhole } from "./histogram.ts";
import { like, type Line, matched, normalized, repeated } from "./lines.ts";
import { assertLedger, Outcome } from "./outcome.ts";
import { type Finished, startProgram } from "./program.ts";
import { type Proxy, startProxy } from "./proxy.ts";
import { type Receiver, startReceiver } from "./receiver.ts";
import { assertSample, type SampleRequest } from "./sample.ts";
import { SAMPLES, SENDS_AND_SUMMARY, withoutServiceNote } from "./wording.ts";

/** Defines a test for each fixture. */
export function testFixtures(fixtures: readonly Fixture[]): void {
  testCases(fixtures.map((fixture) => ({ ...fixture, run: () => runFixture(fixture) })));
}

/** Things that several runs share: a directory with a spool, for example, or a receiver. */
export interface Shared {
  /** The working directory. */
  readonly cwd?: string;
  readonly receiver?: Receiver;
}

/** Runs the program once as the fixture says, and holds what becomes of it against what the fixture expects. */
export async function runFixture(
  fixture: Setup & Expectation,
  shared: Shared = {},
): Promise<Outcome> {
  // Only what is started here is stopped here.
  await using own = shared.receiver === undefined
    ? await startReceiver({
      answers: fixture.answers ?? [],
      ...fixture.tls !== undefined && { tls: fixture.tls },
    })
    : undefined;
  const receiver = shared.receiver ?? own;
  assert.ok(receiver !== undefined);
  if (shared.receiver !== undefined) receiver.answer(...fixture.answers ?? []);
  if (fixture.stopped) await receiver.stop();
  await using proxy = fixture.proxy && startProxy(fixture.proxy);
  const before = receiver.requests.length;
  const fill = (text: string) => filled(text, receiver, proxy);
  const env = { ...fixture.bare ? {} : SECRETS, ...fixture.env };
  await using program = await startProgram({
    args: (fixture.args ?? ["--endpoint", "{secretUrl}"]).map(fill),
    env: {
      // From source: Deno's own request now and then would come to a fixture's proxy.
      DENO_NO_UPDATE_CHECK: "1",
      ...mapped(env, fill),
    },
    files: mapped(fixture.files ?? {}, (file) => typeof file === "string" ? fill(file) : file),
    ...fixture.dotenv !== undefined && { dotenv: fill(fixture.dotenv) },
    ...fixture.stdin !== undefined && { stdin: fixture.stdin },
    ...fixture.timeoutMs !== undefined && { timeoutMs: fixture.timeoutMs },
    ...shared.cwd !== undefined && { cwd: shared.cwd },
  });
  await fixture.meanwhile?.({ program, receiver });
  const finished = await program.finished;
  assertNoSecret(finished);
  const outcome = new Outcome({
    ...finished,
    stdout: normalized(finished.stdout, receiver, proxy),
    stderr: normalized(withoutServiceNote(untold(finished.stderr, fixture)), receiver, proxy),
  }, { program, receiver, proxy, requests: receiver.requests.slice(before) });
  assertOutput(outcome, fixture);
  assertRequests(outcome, fixture);
  if (fixture.foreign !== true) assertLedger(outcome, fixture.ambiguous ?? false);
  await fixture.check?.(outcome);
  return outcome;
}

/** JSON warning about the sample, in nearly every fixture. */
const SAMPLES_TOLD = new RegExp(`^\\{"type":"warning","message":"${SAMPLES}.*\n`, "gm");
/** Warning about sends that were skipped, in any fixture of a loop on a machine that is busy for a moment. */
const SKIPS_TOLD = /^.*\bthe previous send took longer than --interval: .*\n/gm;

/** Removes the warnings that a fixture does not name. */
function untold(stderr: string, { samplesTold, skipsTold }: Expectation): string {
  const rest = samplesTold ? stderr : stderr.replaceAll(SAMPLES_TOLD, "");
  return skipsTold ? rest : rest.replaceAll(SKIPS_TOLD, "");
}

/** All three at once: when one is wrong, each tells about the others. */
function assertOutput(outcome: Outcome, fixture: Expectation): void {
  const { status = 0, stdout = [], stderr = [] } = fixture;
  assert.deepEqual({
    status: status === "any" ? status : outcome.status,
    stdout: stdout === "any" ? stdout : matched(outcome.stdout, stdout),
    stderr: stderr === "any" ? stderr : matched(outcome.stderr, stderr),
  }, { status, stdout, stderr });
}

function assertRequests({ requests }: Outcome, fixture: Setup & Expectation): void {
  if (fixture.posts === "any") return;
  if (fixture.posts !== undefined) return assert.equal(requests.length, fixture.posts);
  const { requests: expected = 1 } = fixture;
  assert.equal(requests.length, typeof expected === "number" ? expected : expected.length);
  requests.forEach((request, i) => {
    const own = typeof expected === "number" ? undefined : expected[i];
    assertSample(request, { ...aimOf(fixture), ...own });
  });
}

/** Where a fixture without arguments sends to. */
function aimOf({ args }: Setup): SampleRequest {
  return args === undefined || args.includes("{secretUrl}")
    ? { target: `/v1/metrics?key=${MARK}` }
    : {};
}

export function assertNoSecret({ stdout, stderr }: Pick<Finished, "stdout" | "stderr">): void {
  for (const text of [stdout, stderr]) {
    assert.ok(!text.includes(MARK), `A secret was written:\n${text}`);
    assert.ok(!text.includes(btoa(`${USER}:${PASSWORD}`)), `Credentials were written:\n${text}`);
  }
}

function mapped<T>(
  values: Readonly<Record<string, T>>,
  change: (value: T) => T,
): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));
}

function filled(text: string, receiver: Receiver, proxy: Proxy | undefined): string {
  const secret = new URL(receiver.url);
  return text
    .replaceAll("{url}", receiver.url)
    .replaceAll("{port}", String(receiver.port))
    .replaceAll(
      "{secretUrl}",
      `${secret.origin.replace("//", `//${USER}:${PASSWORD}@`)}?key=${MARK}`,
    )
    .replaceAll("{proxy}", proxy?.url ?? "")
    .replaceAll("{secretProxy}", proxy?.urlWithCredentials ?? "");
}

/** A fixture of measurements that are named: `--endpoint {url} --output json` stands before its arguments. */
export interface Measuring extends Omit<Setup & Expectation, "stdout" | "stderr" | "requests"> {
  readonly args: readonly string[];
  /** Messages of warnings and errors in their order; by default there is none. */
  readonly said?: readonly (string | RegExp)[] | "any";
}

/** Sends what is measured to a receiver; every data point that arrives is whole. */
export async function measure(options: Measuring, shared?: Shared): Promise<Outcome> {
  const { args, said = [], posts = "any", ...rest } = options;
  const outcome = await runFixture({
    ...rest,
    args: ["--endpoint", "{url}", "--output", "json", ...args],
    posts,
    stdout: SENDS_AND_SUMMARY,
    stderr: said === "any"
      ? [repeated(like({ type: /^(warning|error)$/ }))]
      : said.map((message): Line => like({ type: /^(warning|error)$/, message })),
  }, shared);
  if (outcome.metrics.every(({ data }) => data.case === "histogram")) {
    outcome.points.forEach(assertWhole);
  }
  return outcome;
}
