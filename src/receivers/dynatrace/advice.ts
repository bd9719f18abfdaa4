import { storedDimensionKey } from "./rules.ts";
import { plainBody } from "../../otlp/gzip.ts";
import type { Advice, SendPlan } from "../profile.ts";
import { EXPLAINER } from "./explain.ts";
import { LIMITS } from "./limits.ts";
import { preflightConfig, preflightToken } from "./preflight.ts";
import { untimely } from "./untimely.ts";

/** Number of fixed dimensions below which a sample cannot come near the limit. */
const FEW_DIMENSIONS = LIMITS.dimensions - 10;
const SAMPLE_DIMENSIONS = ["http.method", "http.status_code"];

/** Makes Dynatrace's advice for a send. */
export async function adviceFor(plan: SendPlan): Promise<Advice> {
  const { metric, metrics, source, destination: { endpoint, authorization }, credentials } = plan;
  const findings = [...preflightConfig({ endpoint, metric, source })];
  const token = await credentials.authorization();
  if (authorization.kind !== "none" && token !== undefined) {
    findings.push(...preflightToken(token, authorization.from));
  }
  const fixed = Object.keys(metric.attributes);
  const ofSample = source.kind === "sample" ? SAMPLE_DIMENSIONS : [];
  // The sample and the values of --value add nothing that breaks a rule: no need to look at the bytes.
  const isKnown = (source.kind === "sample" || source.kind === "values") &&
    fixed.length + Object.keys(metric.resource).length < FEW_DIMENSIONS &&
    ![...fixed, ...Object.keys(metric.resource)].some((key) =>
      ofSample.includes(storedDimensionKey(key))
    );
  /** Attributes of the first send, by metric. */
  let sentKeys: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  /** When the oldest measurement was made, and when the last send was, both in ms since 1970. */
  let oldest = Infinity;
  let latest = -Infinity;
  return {
    findings,
    async review(requests, now, reported) {
      const [first] = requests;
      if (isKnown || first === undefined) return [];
      const [{ decodeRequest }, { attributeKeys, preflightRequest }] = await Promise.all([
        import("../../otlp/decode.ts"),
        import("./preflight_request.ts"),
      ]);
      const bytes = await plainBody(first);
      const request = decodeRequest(bytes);
      sentKeys = attributeKeys(request);
      return preflightRequest(request, endpoint.url, bytes.length, now, [
        ...findings,
        ...reported,
      ]);
    },
    untimely(measured, now) {
      oldest = measured.reduce(
        (least, { interval }) => Math.min(least, interval.start),
        Math.min(oldest, now),
      );
      latest = now;
      return untimely(measured, metric.name, now);
    },
    whereToLook() {
      const ageMs = Math.max(0, latest - oldest);
      const exponential = metric.bounds === "exponential";
      const stored = metrics.map((name) => {
        const dimensions = [...ofSample, ...fixed, ...sentKeys.get(name) ?? []];
        return { metric: name, dimensions, exponential, ageMs };
      });
      return EXPLAINER.whereToLook(stored, endpoint);
    },
  };
}
