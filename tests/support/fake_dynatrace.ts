import { Changes } from "./changes.ts";
import { decode, type Point } from "./decode.ts";
import { FakeGrail, type GrailModes } from "./fake_grail.ts";
import { FakeMetricsV2, type MetricsV2Modes } from "./fake_metrics_v2.ts";
import { gunzip } from "./gunzip.ts";

/** Metric of a canary that a client of Dynatrace's looks for. */
export const CANARY_METRIC = {
  name: "m",
  unit: "ms",
  description: "",
  bounds: [5, 10, 25, 50, 75, 100],
  maxSeries: 10,
  resource: {},
  userResource: {},
  attributes: {},
  scope: { name: "test", version: "1" },
};

/** Data point as the fake keeps it. */
export interface KeptPoint {
  readonly metric: string;
  readonly point: Point;
  readonly attributes: Readonly<Record<string, string>>;
  /** ms since 1970 */
  readonly time: number;
}

/** How the environment keeps what it accepts. */
export interface StoreModes {
  /** Key under which a metric is stored. */
  readonly storeAs?: (name: string) => string;
  /** Attributes that do not become dimensions. */
  readonly dropped?: readonly string[];
  /** Accepts everything, and stores nothing. */
  readonly loses?: boolean;
  /** Times that a data point is stored: 2 of two pipelines. */
  readonly copies?: number;
  /** Measurements of a data point that are not stored. */
  readonly missing?: number;
  /** Amount that is added to every sum. */
  readonly excess?: number;
  /** Reason that self-monitoring gives for what was rejected after it was accepted. */
  readonly rejectedReason?: string;
  /** Whether buckets are stored. */
  readonly withoutBuckets?: boolean;
  /** Number of queries for the count that find nothing before the data is there. */
  readonly visibleAfter?: number;
}

/** Answer in place of the usual one. */
export interface ScriptedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Modes of a fake environment. */
export interface DynatraceModes extends StoreModes {
  readonly grail?: GrailModes;
  readonly v2?: MetricsV2Modes;
  /** Answers to the requests of the query API, in order; undefined, and whatever comes after, is the usual answer. */
  readonly answers?: readonly (ScriptedAnswer | undefined)[];
}

/** Request as the fake got it. */
export interface AskedRequest {
  readonly method: string;
  readonly path: string;
  readonly url: URL;
  readonly authorization: string | null;
  readonly headers: Headers;
  readonly body: string;
}

/** Store of an environment, and how it shows its data. */
export class FakeStore {
  readonly points: KeptPoint[] = [];
  readonly modes: StoreModes;
  #looks = 0;

  constructor(modes: StoreModes) {
    this.modes = modes;
  }

  accept(content: Uint8Array): void {
    if (this.modes.loses) return;
    // `check` posts an empty request.
    if (content.length === 0) return;
    for (const { name, points } of decode(content).metrics) {
      for (const point of points) {
        const attributes = Object.entries(point.attributes)
          .filter(([key]) => !this.modes.dropped?.includes(key))
          .map(([key, value]) => [key, String(value)] as const);
        const { copies = 1, missing = 0, excess = 0 } = this.modes;
        const kept: KeptPoint = {
          metric: this.modes.storeAs?.(name) ?? name,
          point: { ...point, count: point.count - missing, sum: (point.sum ?? 0) + excess },
          attributes: Object.fromEntries(attributes),
          time: Number(point.end / 1_000_000n),
        };
        this.points.push(...Array.from({ length: copies }, () => kept));
      }
    }
  }

  /** Finds the points of a key with an attribute; while nothing is visible, none. */
  find(key: string, attribute: string, value: string): readonly KeptPoint[] {
    const found = this.points.filter(({ metric, attributes }) =>
      metric === key && attributes[attribute] === value
    );
    return found.length > 0 && this.#looks++ < (this.modes.visibleAfter ?? 0) ? [] : found;
  }
}

/** A Dynatrace environment on 127.0.0.1: OTLP, Grail and the Metrics API v2. */
export interface FakeDynatrace extends AsyncDisposable {
  readonly url: string;
  readonly store: FakeStore;
  /** Requests of the query APIs. */
  readonly asked: readonly AskedRequest[];
  /** Requests of OTLP. */
  readonly exports: readonly AskedRequest[];
  /** Resolves when that many requests of the query APIs have come. */
  waitForAsked(count: number): Promise<void>;
}

/** Starts an environment. */
export function startDynatrace(modes: DynatraceModes = {}): FakeDynatrace {
  const store = new FakeStore(modes);
  const grail = new FakeGrail(store, modes.grail ?? {});
  const v2 = new FakeMetricsV2(store, modes.v2 ?? {});
  const asked: AskedRequest[] = [];
  const exports: AskedRequest[] = [];
  const changes = new Changes();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const url = new URL(request.url);
    const bytes = new Uint8Array(await request.arrayBuffer());
    const isExport = url.pathname.endsWith("/api/v2/otlp/v1/metrics");
    const seen: AskedRequest = {
      method: request.method,
      path: url.pathname,
      url,
      authorization: request.headers.get("authorization"),
      headers: request.headers,
      body: isExport ? "" : new TextDecoder().decode(bytes),
    };
    if (isExport) {
      exports.push(seen);
      store.accept(await gunzip(bytes));
      return new Response(null, { status: 200 });
    }
    asked.push(seen);
    changes.notify();
    const scripted = modes.answers?.[asked.length - 1];
    if (scripted !== undefined) {
      const { status, headers = {}, body = "" } = scripted;
      const type = { "content-type": "application/json" };
      return new Response(body, { status, headers: { ...type, ...headers } });
    }
    return grail.answer(seen) ?? v2.answer(seen) ??
      Response.json({ error: { code: 404, message: "no such API" } }, { status: 404 });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    store,
    asked,
    exports,
    waitForAsked: (count) =>
      changes.until(() => asked.length >= count, 20_000, () => `${asked.length} requests`),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
