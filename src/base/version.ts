import project from "../../deno.json" with { type: "json" };

export const VERSION: string = project.version;

/** The exporter whose serializer makes the bytes, behind our own name (OTLP exporter specification, "User Agent"). */
export const USER_AGENT = `otlp-histogram/${VERSION} OTel-OTLP-Exporter-JavaScript/0.301.0`;
