/** The instrument name syntax of the OpenTelemetry API. */
export const METRIC_NAME = /^[a-z][a-z0-9_./-]{0,254}$/i;
