import { VERSION } from "../platform/version.ts";
import type { Attributes } from "./measurement.ts";

/** Instrumentation scope: the code that measured. */
export interface InstrumentationScope {
  readonly name: string;
  readonly version: string;
  readonly schemaUrl?: string;
  readonly attributes?: Attributes;
}

/** Origin of metrics: their resource and their instrumentation scope. */
export interface Identity {
  readonly resource: Attributes;
  readonly scope: InstrumentationScope;
}

/** Identity from settings, which are texts. */
export interface ConfiguredIdentity extends Identity {
  readonly resource: Readonly<Record<string, string>>;
}

/** Identity of samples and generated data, as the predecessor named it. */
export const SAMPLE_IDENTITY: ConfiguredIdentity = {
  resource: { "service.name": "my-service", "deployment.environment": "prod" },
  scope: { name: "example-meter", version: "1.0.0" },
};

/** Value of `service.name` where nobody named the service (resource semantic conventions, "Service"). */
export const UNKNOWN_SERVICE = "unknown_service:otlp-histogram";

/** Identity of data from outside that name none themselves. */
export const OUTSIDE_IDENTITY: ConfiguredIdentity = {
  resource: { "service.name": UNKNOWN_SERVICE },
  scope: { name: "otlp-histogram", version: VERSION },
};
