import type { VendorProfile } from "../profile.ts";
import { isOtlpApi } from "./api_path.ts";
import { LIMITS, TOO_LARGE } from "./limits.ts";

/** Profile of Dynatrace: SaaS, Managed and ActiveGates. */
export const DYNATRACE: VendorProfile = {
  vendor: "Dynatrace",
  requiresToken: true,
  limits: { points: LIMITS.suggestedPoints, bytes: LIMITS.requestBytes - 1 },
  body: {
    formats: ["protobuf"],
    encodings: ["gzip"],
    bytes: LIMITS.requestBytes,
    tooLarge: { rule: "request-size", words: `${TOO_LARGE}: ` },
  },
  maxSkewMs: LIMITS.futureMs,
  acceptsAt: isOtlpApi,
  ownsHost: ({ hostname }) => hostname.includes(".dynatrace"),
  async addresses() {
    const { BASES, explainMisplaced } = await import("./urls.ts");
    return { bases: BASES, explainMisplaced };
  },
  async explainer() {
    return (await import("./explain.ts")).EXPLAINER;
  },
  async preflight(plan) {
    return await (await import("./advice.ts")).adviceFor(plan);
  },
  async inspectEndpoint(endpoint) {
    return (await import("./preflight.ts")).preflightEndpoint(endpoint);
  },
  async inspectToken(authorization, from) {
    return (await import("./preflight.ts")).preflightToken(authorization, from);
  },
  async judge(now) {
    return (await import("./judge.ts")).judgeDynatrace(now);
  },
  async rules() {
    return (await import("./judge.ts")).JUDGED_RULES;
  },
};
