import type { Advice, ReceiverProfile, VendorProfile } from "../profile.ts";

const MIB = 2 ** 20;

/** Advice about a receiver that has no rules of its own. */
const NO_ADVICE: Advice = {
  findings: [],
  review: () => Promise.resolve([]),
  untimely: () => [],
  whereToLook: () => [],
};

/** Makes the profile of an OTLP receiver that is none of the vendors'; a 404 may be of a URL meant for one of them. */
export function otlpProfile(vendors: readonly VendorProfile[]): ReceiverProfile {
  return {
    vendor: undefined,
    requiresToken: false,
    // OTLP over HTTP allows 64 MiB, but a Collector refuses more than 20 MiB unless it is configured otherwise
    // (confighttp's max_request_body_size).
    limits: { points: Infinity, bytes: 16 * MIB },
    // 64 MiB is the limit of OTLP (specification.md, "OTLP/HTTP Request").
    body: {
      formats: ["protobuf", "json"],
      encodings: ["gzip", "deflate", "zstd"],
      bytes: 64 * MIB,
      tooLarge: { rule: "body-size", words: "" },
    },
    maxSkewMs: 600_000,
    async explainer() {
      return await (await import("./explain.ts")).otlpExplainer(vendors);
    },
    preflight: () => Promise.resolve(NO_ADVICE),
    inspectEndpoint: () => Promise.resolve([]),
    inspectToken: () => Promise.resolve([]),
    judge: async () => (await import("./rules.ts")).judgeOtlp,
    rules: async () => (await import("./rules.ts")).OTLP_RULES,
  };
}
