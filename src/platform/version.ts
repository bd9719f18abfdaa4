/** Version of this program: that of deno.json, which is not imported because every start would load all of it. */
export const VERSION = "3.0.0";

/** Name and version of this program, in the form that an exporter's have (OTLP exporter specification, "User Agent"). */
export const USER_AGENT = `OTel-OTLP-Exporter-otlp-histogram/${VERSION}`;
