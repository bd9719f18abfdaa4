import { decode } from "../support/decode.ts";
import { error, like, repeated } from "../support/lines.ts";
import type { ReceivedRequest } from "../support/receiver.ts";
import {
  type Fault,
  FIVE,
  inTurn,
  KEPT,
  KEPT_SAID,
  LOOP,
  NOT_YET,
  SENDS,
  signal,
  SOME,
  SPOOL,
  testFaults,
  whenReported,
} from "../support/fault.ts";
import { lostMessage } from "../support/wording.ts";

/** An answer that denies the batch that came first, whenever it comes, and takes all others. */
const denyFirst = (status: number) => {
  let first: bigint | undefined;
  return () => ({ content }: ReceivedRequest) => {
    const end = decode(content).metrics[0]?.points[0]?.end;
    first ??= end;
    return end === first ? status : 200;
  };
};

const faults: readonly Fault[] = [
  ...[401, 403].flatMap((status): Fault[] => [
    {
      name: `${status} with a spool`,
      answers: [status],
      args: ["--endpoint", "{url}", ...SPOOL],
      said: [KEPT_SAID],
      expect: KEPT,
    },
    {
      name: `${status} for the first requests of a loop`,
      answers: [status, status, status],
      args: [...LOOP, "--interval", "0.3", "--iterations", "5"],
      posts: "any",
      said: [NOT_YET, SOME],
      expect: {
        recorded: 25,
        delivered: 25,
        sends: [repeated(like({ type: /^(send|late)$/ }), 5)],
      },
    },
    {
      name: `${status} for one batch of a loop`,
      answers: Array.from({ length: 99 }, denyFirst(status)),
      args: [...LOOP, "--interval", "0.3", "--iterations", "5"],
      posts: "any",
      said: [NOT_YET, SOME, error(/^5 measurements of iteration 1 not delivered: 40[13] /), SOME],
      expect: {
        recorded: 25,
        delivered: 20,
        rejected: 5,
        sends: [
          like({ type: "send", outcome: "failed", status }),
          SENDS,
          like({ type: "late", iteration: 1, outcome: "rejected", status }),
          SENDS,
        ],
      },
    },
    {
      name: `${status} for all of a loop`,
      answers: Array.from({ length: 99 }, () => status),
      args: [...LOOP, "--interval", "0.3", "--iterations", "2"],
      posts: "any",
      said: [NOT_YET, SOME, error(lostMessage(10, /40[13] /))],
      expect: { recorded: 10, dropped: 10, sends: [repeated(like({ outcome: "failed" }), 2)] },
    },
    {
      name: `SIGTERM after ${status} in a loop`,
      answers: [status],
      args: LOOP,
      meanwhile: inTurn(whenReported(1), signal("SIGTERM")),
      posts: 2,
      said: [NOT_YET],
      expect: { delivered: FIVE, sends: [like({ outcome: "failed" }), like({ type: "late" })] },
    },
  ]),
];

testFaults(faults);
