import assert from "node:assert/strict";
import { error, like, repeated } from "../support/lines.ts";
import type { Outcome } from "../support/outcome.ts";
import {
  DELIVERED,
  type Fault,
  LOOP,
  LOST,
  RETRY,
  retryAfter,
  testFaults,
} from "../support/fault.ts";

/** As C's asctime() writes it in UTC. */
const asctime = (date: Date) => {
  const [weekday = "", day = "", month = "", year = "", time = ""] = date.toUTCString().split(
    /,? /,
  );
  return `${weekday} ${month} ${String(Number(day)).padStart(2)} ${time} ${year}`;
};
/** How long after the first request the second came, in ms. */
const gap = ({ requests: [one, two] }: Outcome) => (two?.at ?? NaN) - (one?.at ?? NaN);

const faults: readonly Fault[] = [
  {
    name: "429 with Retry-After: 1",
    answers: [retryAfter("1")],
    posts: 2,
    said: [RETRY],
    expect: DELIVERED,
    check: (outcome) => assert.ok(gap(outcome) >= 1000, `again after ${gap(outcome)} ms`),
  },
  {
    name: "429 with Retry-After as a date",
    answers: [retryAfter(() => new Date(Date.now() + 2000).toUTCString())],
    posts: 2,
    said: [RETRY],
    expect: DELIVERED,
    check: (outcome) => assert.ok(gap(outcome) >= 900, `again after ${gap(outcome)} ms`),
  },
  ...["soon", "-5", "0", "Sat, 31 Jan 2015 12:00:20 GMT"].map((value): Fault => ({
    name: `429 with Retry-After: ${value}`,
    answers: [retryAfter(value)],
    posts: 2,
    said: [RETRY],
    expect: DELIVERED,
  })),
  ...["UTC", "Asia/Tokyo", "America/New_York"].map((TZ): Fault => ({
    name: `429 with Retry-After as asctime() writes it, with TZ=${TZ}`,
    answers: [retryAfter(() => asctime(new Date(Date.now() + 2000)))],
    env: { TZ },
    posts: 2,
    said: [RETRY],
    expect: DELIVERED,
    check: (outcome) => assert.ok(gap(outcome) >= 900, `again after ${gap(outcome)} ms`),
  })),
  {
    name: "429 with an absurdly long Retry-After",
    answers: [retryAfter("99999999999")],
    said: [error(/lost: 429 .*; Retry-After is 2000000 s, longer than --retry-for \(30 s\)/)],
    expect: LOST,
  },
  {
    name: "429 with a Retry-After for everything that follows in a loop",
    answers: [retryAfter("1")],
    args: [...LOOP, "--interval", "0.3", "--iterations", "5"],
    posts: "any",
    said: [repeated(like({ type: /^(warning|error)$/ }))],
    expect: { recorded: 25, delivered: 25, sends: [repeated(like({ type: /^(send|late)$/ }), 5)] },
    check: (outcome) => assert.ok(gap(outcome) >= 1000, `again after ${gap(outcome)} ms`),
  },
];

testFaults(faults);
