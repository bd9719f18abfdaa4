import { storedDimensionKey } from "./rules.ts";
import type { Authorization } from "../../http/authorization.ts";
import type { MeasuredInterval } from "../../aggregate/snapshot.ts";
import type { EncodedRequest } from "../../otlp/request.ts";
import { plainBody } from "../../otlp/gzip.ts";
import { explain, whereToLook } from "./explain.ts";
import type { Finding } from "./finding.ts";
import { type Preflight, preflightConfig, preflightToken } from "./preflight.ts";
import { untimely } from "./untimely.ts";

/** What is told around a send to Dynatrace: before it, and after it. */
export interface Advice {
  /** Of the configuration. */
  readonly findings: readonly Finding[];
  /** Of the first send's data, but for `told`; loads the OTLP schema, which takes some milliseconds. */
  review(
    requests: readonly EncodedRequest[],
    now: number,
    told: readonly Finding[],
  ): Promise<readonly Finding[]>;
  /** Of what happened in intervals of its own, what is too old or too far ahead. `now`: ms since 1970. */
  untimely(measured: readonly MeasuredInterval[], now: number): readonly Finding[];
  /** What a receiver's message means, a line each. */
  explain(message: string): readonly string[];
  /** Where to look for what was accepted, a line each. */
  readonly whereToLook: readonly string[];
}

/** Dynatrace's limit of dimensions is 50: with fewer fixed ones than this a sample cannot come near it. */
const FEW_DIMENSIONS = 40;
const SAMPLE_DIMENSIONS = ["http.method", "http.status_code"];

/** `credentials`: the value of the Authorization header when the program starts. */
export function adviceFor(
  config: Preflight & { readonly destination: { readonly authorization: Authorization } },
  metrics: readonly string[],
  credentials: string | undefined,
): Advice {
  const { metric, source, destination: { endpoint, authorization } } = config;
  const findings = [
    ...preflightConfig(config),
    ...authorization.kind === "none" || credentials === undefined
      ? []
      : preflightToken(credentials, authorization.from),
  ];
  const fixed = Object.keys(metric.attributes);
  const own = source.kind === "sample" ? SAMPLE_DIMENSIONS : [];
  // What the sample and given values hold besides the configuration breaks no rule: no need to look at the bytes.
  const isKnown = (source.kind === "sample" || source.kind === "values") &&
    fixed.length + Object.keys(metric.resource).length < FEW_DIMENSIONS &&
    ![...fixed, ...Object.keys(metric.resource)].some((key) =>
      own.includes(storedDimensionKey(key))
    );
  return {
    findings,
    async review(requests, now, told) {
      const [first] = requests;
      if (isKnown || first === undefined) return [];
      const [{ decodeRequest }, { preflightRequest }] = await Promise.all([
        import("../../otlp/decode.ts"),
        import("./preflight_request.ts"),
      ]);
      const bytes = await plainBody(first);
      return preflightRequest(decodeRequest(bytes), endpoint.url, bytes.length, now, [
        ...findings,
        ...told,
      ]);
    },
    explain,
    untimely: (measured, now) => untimely(measured, metric.name, now),
    get whereToLook() {
      return [
        ...new Set(metrics.flatMap((name) =>
          whereToLook({
            metric: name,
            dimensions: [...own, ...fixed],
            exponential: metric.bounds === "exponential",
          })
        )),
      ];
    },
  };
}
