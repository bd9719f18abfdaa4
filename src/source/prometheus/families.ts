import type { Identity } from "../../aggregate/identity.ts";
import type { Instrument } from "../../aggregate/instrument.ts";
import type { MetricConfig } from "../../aggregate/metric_config.ts";
import type { RecordFamilies } from "../source.ts";
import type { Exposed, ExposedOrigin } from "./exposed.ts";

/** Instrument whose identity is known. */
export type IdentifiedInstrument = Instrument & { readonly identity: Identity };

/** Metadata that the specification of Prometheus compatibility requires (Metric Metadata). */
const METADATA = { "prometheus.type": "histogram" } as const;

/** Maximum number of origins with an identity of their own: each has instruments that are kept. */
const MOST_ORIGINS = 1000;

/**
 * Records families as instruments, with the identity that their exposition names, else with that of `metric`. `found` is
 * called with each new instrument.
 */
export function familyInstruments(
  metric: Pick<MetricConfig, "attributes" | "resource" | "userResource" | "scope">,
  found: (instrument: IdentifiedInstrument) => void,
  warn: (message: string) => void,
): RecordFamilies {
  const { attributes } = metric;
  const indices = new Map<string, number>();
  const identities = new IdentityTable(metric, warn);
  return (records, exposed) => {
    let count = 0;
    for (const { family, origin, histograms } of exposed) {
      const { key, identity } = identities.of(origin);
      const id = `${family.name.length}:${family.name}${key}`;
      const index = indices.get(id) ?? add(id, identity, family, histograms[0]?.bounds ?? []);
      records.addHistograms(histograms, index);
      count += histograms.reduce((sum, histogram) => sum + histogram.count, 0);
    }
    return count;

    function add(
      id: string,
      identity: Identity,
      family: Exposed["family"],
      bounds: readonly number[],
    ): number {
      const instrument = { ...family, bounds, attributes, identity, metadata: METADATA };
      const index = records.addInstrument(instrument);
      indices.set(id, index);
      found(instrument);
      return index;
    }
  };
}

interface KnownIdentity {
  readonly key: string;
  readonly identity: Identity;
}

/** Identities by origin; equal resources are one object. */
class IdentityTable {
  readonly #metric: Pick<MetricConfig, "resource" | "userResource" | "scope">;
  readonly #warn: (message: string) => void;
  readonly #known = new Map<string, KnownIdentity>();
  readonly #resources = new Map<string, Identity["resource"]>();
  readonly #default: KnownIdentity;
  #isFull = false;

  constructor(
    metric: Pick<MetricConfig, "resource" | "userResource" | "scope">,
    warn: (message: string) => void,
  ) {
    this.#metric = metric;
    this.#warn = warn;
    this.#default = { key: "", identity: { resource: metric.resource, scope: metric.scope } };
  }

  of(origin: ExposedOrigin): KnownIdentity {
    const { key, scope, resource } = origin;
    if (scope === undefined && resource === undefined) return this.#default;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= MOST_ORIGINS) {
      if (!this.#isFull) {
        this.#warn(
          "the exposition names more than 1,000 scopes and targets: further ones are merged under this " +
            "program's own scope and resource",
        );
      }
      this.#isFull = true;
      return this.#default;
    }
    const identity = { resource: this.#resourceOf(resource), scope: scope ?? this.#metric.scope };
    const added = { key, identity };
    this.#known.set(key, added);
    return added;
  }

  /** The target's attributes override the defaults, and the user's override those. */
  #resourceOf(target: Identity["resource"] | undefined): Identity["resource"] {
    const { resource, userResource } = this.#metric;
    if (target === undefined) return resource;
    const merged = { ...resource, ...target, ...userResource };
    const key = JSON.stringify(merged);
    const known = this.#resources.get(key) ?? merged;
    this.#resources.set(key, known);
    return known;
  }
}
