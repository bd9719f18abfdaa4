import assert from "node:assert/strict";
import { repeated } from "../support/lines.ts";
import { measurementsIn } from "../support/outcome.ts";
import { runFixture } from "../support/run_fixture.ts";
import { loopHeading, PLAIN_URL } from "../support/wording.ts";
import type { TestCase } from "../support/cases.ts";
import {
  DELIVERED,
  DUPLICATED,
  type Fault,
  inTurn,
  KEPT,
  KEPT_SAID,
  LOOP,
  LOST,
  LOST_SAID,
  NOT_YET,
  RETRIES,
  RETRY,
  retryAfter,
  signal,
  SPOOL,
  testFaults,
  whenAsked,
  whenBackingOff,
  whenReported,
} from "../support/fault.ts";

const faults: readonly Fault[] = [
  {
    name: "SIGTERM while it waits",
    args: LOOP,
    meanwhile: inTurn(whenReported(1), signal("SIGTERM")),
    expect: DELIVERED,
  },
  {
    name: "SIGINT while it waits",
    args: [...LOOP, ...SPOOL],
    meanwhile: inTurn(whenReported(1), signal("SIGINT")),
    expect: DELIVERED,
  },
  ...[[], SPOOL].flatMap((spool): Fault[] => {
    const how = spool.length > 0 ? "with a spool" : "without a spool";
    const left = spool.length > 0 ? KEPT : LOST;
    const leftSaid = spool.length > 0 ? KEPT_SAID : LOST_SAID;
    const signalled = Promise.withResolvers<void>();
    return [
      {
        name: `SIGTERM while it sends, ${how}, and an answer comes`,
        answers: [() => signalled.promise.then(() => 200)],
        args: [...LOOP, ...spool],
        meanwhile: inTurn(
          whenAsked(1),
          signal("SIGTERM"),
          () => Promise.resolve(signalled.resolve()),
        ),
        expect: DELIVERED,
      },
      {
        name: `SIGTERM while it sends, ${how}, and no answer comes`,
        answers: ["hang", "hang"],
        args: [...LOOP, "--timeout", "1", ...spool],
        meanwhile: inTurn(whenAsked(1), signal("SIGTERM")),
        // Another try follows if there is time left for one.
        posts: "any",
        said: [repeated(NOT_YET), RETRIES, repeated(DUPLICATED), leftSaid],
        expect: left,
      },
      {
        name: `SIGTERM while it backs off, ${how}, and the receiver is back`,
        answers: [retryAfter("3", 503)],
        args: [...LOOP, ...spool],
        meanwhile: inTurn(whenBackingOff, signal("SIGTERM")),
        posts: 2,
        said: [RETRY],
        expect: DELIVERED,
      },
      {
        name: `SIGTERM while it backs off, ${how}, and the receiver is not`,
        answers: Array.from({ length: 9 }, () => 503),
        args: [...LOOP, ...spool],
        meanwhile: inTurn(whenBackingOff, signal("SIGTERM")),
        posts: "any",
        said: [RETRIES, repeated(NOT_YET), leftSaid],
        expect: left,
      },
      {
        name: `SIGTERM while it waits, ${how}, with something pending`,
        answers: Array.from({ length: 9 }, () => 503),
        args: [...LOOP, "--retry-for", "0", ...spool],
        meanwhile: inTurn(whenReported(1), signal("SIGTERM")),
        posts: 2,
        said: [NOT_YET, leftSaid],
        expect: left,
      },
      {
        name: `SIGTERM twice, ${how}`,
        // The last try that follows the first signal gets no answer.
        answers: [retryAfter("2", 503), "hang"],
        args: [...LOOP, "--timeout", "60", ...spool],
        meanwhile: inTurn(whenBackingOff, signal("SIGTERM"), whenAsked(2), signal("SIGTERM")),
        posts: 2,
        said: [RETRY, repeated(NOT_YET), leftSaid],
        expect: left,
      },
    ];
  }),
];

const stories: readonly TestCase[] = [
  {
    name: "SIGTERM while it records",
    run: () =>
      runFixture({
        args: [...LOOP],
        meanwhile: async ({ program }) => {
          await program.waitForStdout("Press Ctrl+C");
          program.signal("SIGTERM");
        },
        posts: "any",
        // How far it comes before the signal does is the machine's affair.
        stdout: [
          ...loopHeading(60, PLAIN_URL),
          repeated(/^(\[TIME\] .*|Stopping\.\.\. .*|)$/),
          /^Delivered (0 of 0|5 of 5) measurements in /,
          "Shutdown complete.",
        ],
        check: ({ accepted, stdout }) =>
          assert.ok(stdout.includes(`Delivered ${measurementsIn(...accepted)} of `)),
      }),
  },
];

testFaults(faults, stories);
