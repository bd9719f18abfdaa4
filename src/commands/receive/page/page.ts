import type { Clock } from "../../../platform/clock.ts";
import { messageOf } from "../../../platform/errors.ts";
import type { Hide } from "../../../redact/secrets.ts";
import type { RequestEvent } from "../event.ts";
import { carriesToken } from "../token.ts";
import { CSS, HTML, PACKED_JS } from "./assets.ts";
import { Feed } from "./feed.ts";
import { groupAnswer } from "./group_answer.ts";
import { type ListenAddress, pageRefusal } from "./guard.ts";
import { History, HISTORY_LIMITS } from "./history.ts";
import type { HistoryAnswer } from "./protocol.ts";
import { REFUSED_LIMITS, RefusedSeries } from "./refused_series.ts";
import { Streams } from "./streams.ts";

/** Address of the page, and the token of its readers. */
export interface PageOptions extends Omit<ListenAddress, "port"> {
  /** Reads the Authorization value that a reader must carry; undefined shows everything to everybody. */
  readonly token: (() => Promise<string>) | undefined;
  /** Rules that requests are judged by, as `--rules` names them. */
  readonly rules: string;
  readonly clock: Clock;
  /** Removes secrets from names. */
  readonly hide: Hide;
}

/** Page at `/`, which shows requests as they arrive. */
export interface Page {
  record(event: RequestEvent): void;
  /** Answers a GET of the page or its parts; undefined for any other request. */
  answer(request: Request, port: number): Promise<Response | undefined>;
  /** Ends the streams of all readers. */
  stop(): void;
}

const COMMON = {
  "Cache-Control": "no-store, no-transform",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Content-Security-Policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
} as const;

/** Creates the page, which records requests and shows them. */
export function createPage(options: PageOptions): Page {
  const { clock, token } = options;
  const startedMs = clock.wall();
  const history = new History(startedMs, HISTORY_LIMITS, options.hide);
  const feed = new Feed(
    history,
    startedMs,
    options.rules,
    new RefusedSeries(REFUSED_LIMITS, options.hide),
  );
  const streams = new Streams(feed, clock);
  const files: ReadonlyMap<string, readonly [type: string, text: string | Promise<string>]> =
    new Map([
      // Asked for in vain, a token would be an error on the browser's console.
      ["/", ["text/html", token === undefined ? HTML : HTML.replace("<html", "<html data-token")]],
      ["/page.js", ["text/javascript", scriptOf(PACKED_JS)]],
      ["/page.css", ["text/css", CSS]],
    ]);
  return {
    record: (event) => feed.add(event),
    stop: () => streams.stop(),
    async answer(request, port) {
      if (request.method !== "GET" && request.method !== "HEAD") return undefined;
      const url = URL.parse(request.url);
      const path = url?.pathname ?? "";
      const file = files.get(path);
      if (url === null || (file === undefined && path !== "/events" && path !== "/history")) {
        return undefined;
      }
      const refused = pageRefusal(request, { ...options, port });
      if (refused !== undefined) return answerOf(request, 403, "text/plain", `${refused}\n`);
      if (file !== undefined) {
        const [type, text] = file;
        return answerOf(request, 200, type, await text);
      }
      const unknown = await tokenProblem(request, token);
      if (unknown !== undefined) return answerOf(request, ...unknown);
      if (path === "/events") return streams.open(request, COMMON);
      const found = historyOf(history, url.searchParams);
      return found === undefined
        ? answerOf(request, 404, "text/plain", "unknown series\n")
        : answerOf(request, 200, "application/json", JSON.stringify(found));
    },
  };
}

/** Unpacks a script that was packed with gzip and written in Base64. */
async function scriptOf(text: string): Promise<string> {
  const packed = new Blob([Uint8Array.fromBase64(text)]).stream();
  return await new Response(packed.pipeThrough(new DecompressionStream("gzip"))).text();
}

async function tokenProblem(
  request: Request,
  token: PageOptions["token"],
): Promise<[status: number, type: string, text: string] | undefined> {
  if (token === undefined) return undefined;
  let expected: string;
  try {
    expected = await token();
  } catch (thrown) {
    return [500, "text/plain", `the receiver cannot read its token file: ${messageOf(thrown)}\n`];
  }
  const [scheme = ""] = expected.split(" ", 1);
  const carried = request.headers.get("Authorization") ?? "";
  // A reader types the token alone into the page.
  if (await carriesToken(carried.replace(/^\S+/, scheme), expected)) return undefined;
  return [401, "text/plain", "this is not the token in --token-file\n"];
}

function historyOf(history: History, query: URLSearchParams): HistoryAnswer | undefined {
  const number = (key: string) => Number(query.get(key) ?? NaN);
  const { sliceMs } = history;
  const group = history.groups[number("group")];
  if (group !== undefined) {
    return groupAnswer(group, sliceMs, {
      from: number("from"),
      version: number("version"),
      by: query.get("by"),
    });
  }
  const series = history.series[number("series")];
  if (series === undefined) return undefined;
  const { version, bounds } = series;
  const isPart = number("version") === version && Number.isFinite(number("from"));
  const rows = series.rowsFrom(isPart ? number("from") : -Infinity);
  return { version, sliceMs, isPart, bounds, rows, lines: [] };
}

function answerOf(request: Request, status: number, type: string, text: string): Response {
  return new Response(request.method === "HEAD" ? null : text, {
    status,
    headers: { ...COMMON, "Content-Type": `${type}; charset=utf-8` },
  });
}
