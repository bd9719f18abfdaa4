import project from "../../deno.json" with { type: "json" };

/** Version of this program. */
export const VERSION: string = project.version;

/** Name and version of this program, in the form that an exporter's have (OTLP exporter specification, "User Agent"). */
export const USER_AGENT = `OTel-OTLP-Exporter-otlp-histogram/${VERSION}`;
