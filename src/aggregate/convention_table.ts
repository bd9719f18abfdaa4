// Written by scripts/conventions.ts from scripts/conventions/extract.json: run `deno task conventions`.

/** Version of OpenTelemetry's semantic conventions in the table. */
export const CONVENTIONS_VERSION = "1.44.0";

/** Lists of advised upper bounds; the table refers to them by index. */
export const CONVENTION_BOUNDS: readonly (readonly number[])[] = [
  [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
  [1, 5, 10, 25, 50, 100, 250, 500, 1000],
  [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
  [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000],
  [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
  [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864],
  [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5],
  [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
  [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300],
  [0.01, 0.1, 1, 10],
  [],
];

/** Histograms, one per line: name, unit, stability, index of the bounds, new name. A dash stands for none. */
export const CONVENTION_ROWS = `\
aspnetcore.authentication.authenticate.duration s development - -
aspnetcore.identity.sign_in.authenticate.duration s development - -
aspnetcore.identity.user.create.duration s development - -
aspnetcore.identity.user.delete.duration s development - -
aspnetcore.identity.user.update.duration s development - -
aspnetcore.rate_limiting.request.time_in_queue s stable 0 -
aspnetcore.rate_limiting.request_lease.duration s stable 0 -
azure.cosmosdb.client.operation.request_charge {request_unit} development 1 -
cicd.pipeline.run.duration s release_candidate - -
db.client.connection.create_time s development - -
db.client.connection.use_time s development - -
db.client.connection.wait_time s development - -
db.client.connections.create_time ms deprecated - db.client.connection.create_time
db.client.connections.use_time ms deprecated - db.client.connection.use_time
db.client.connections.wait_time ms deprecated - db.client.connection.wait_time
db.client.cosmosdb.operation.request_charge {request_unit} deprecated - azure.cosmosdb.client.operation.request_charge
db.client.operation.duration s stable 2 -
db.client.response.returned_rows {row} development 3 -
dns.lookup.duration s development 0 -
faas.cpu_usage s development 0 -
faas.init_duration s development 0 -
faas.invoke_duration s development 0 -
faas.mem_usage By development - -
faas.net_io By development - -
gen_ai.client.operation.duration s deprecated 4 -
gen_ai.client.operation.time_per_output_chunk s deprecated 4 -
gen_ai.client.operation.time_to_first_chunk s deprecated 4 -
gen_ai.client.token.usage {token} deprecated 5 -
gen_ai.server.request.duration s deprecated 4 -
gen_ai.server.time_per_output_token s deprecated 6 -
gen_ai.server.time_to_first_token s deprecated 7 -
go.memory.gc.pause.duration s development - -
go.schedule.duration s development - -
http.client.connection.duration s development 8 -
http.client.duration - deprecated - http.client.request.duration
http.client.request.body.size By development - -
http.client.request.duration s stable 0 -
http.client.response.body.size By development - -
http.server.duration - deprecated - http.server.request.duration
http.server.request.body.size By development - -
http.server.request.duration s stable 0 -
http.server.request.size - deprecated - http.server.request.body.size
http.server.response.body.size By development - -
http.server.response.size - deprecated - http.server.response.body.size
jvm.gc.duration s stable 9 -
kestrel.connection.duration s stable 8 -
kestrel.tls_handshake.duration s stable 0 -
mcp.client.operation.duration s deprecated 8 -
mcp.client.session.duration s deprecated 8 -
mcp.server.operation.duration s deprecated 8 -
mcp.server.session.duration s deprecated 8 -
messaging.client.operation.duration s development 0 -
messaging.process.duration s development 0 -
messaging.publish.duration s deprecated - messaging.client.operation.duration
messaging.receive.duration s deprecated - messaging.client.operation.duration
otel.sdk.exporter.operation.duration s development 10 -
otel.sdk.metric_reader.collection.duration s development 10 -
process.runtime.jvm.gc.duration - deprecated - jvm.gc.duration
rpc.client.call.duration s release_candidate 0 -
rpc.client.duration ms deprecated - rpc.client.call.duration
rpc.client.request.size By deprecated - -
rpc.client.requests_per_rpc {count} deprecated - -
rpc.client.response.size By deprecated - -
rpc.client.responses_per_rpc {count} deprecated - -
rpc.server.call.duration s release_candidate 0 -
rpc.server.duration ms deprecated - rpc.server.call.duration
rpc.server.request.size By deprecated - -
rpc.server.requests_per_rpc {count} deprecated - -
rpc.server.response.size By deprecated - -
rpc.server.responses_per_rpc {count} deprecated - -
signalr.server.connection.duration s stable 8 -
v8js.gc.duration s development 0 -`;
