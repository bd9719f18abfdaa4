import assert from "node:assert/strict";
import { decode, type Point } from "../support/decode.ts";
import { inDirectory } from "../support/directory.ts";
import { freePort, Process } from "../support/process.ts";
import { runProgram, startProgram } from "../support/program.ts";
import { startReceiver } from "../support/receiver.ts";
import { namedUnless } from "../support/tools.ts";

// Logs that a real nginx and a real Apache have written of requests as they come from the internet. The program's
// results are compared with lines that a regular expression splits here.

const NGINX = await installed("nginx");
const APACHE = await installed("apache2");
/** Bounds of `By` and of `s`; some values lie exactly on one. */
const SIZES = [100, 153, 500, 612, 1000, 5000, 20_000];
const TIMES = [0.005, 0.05, 0.1, 0.2, 0.3, 0.5, 1];

async function installed(name: string): Promise<string | undefined> {
  for (const path of [`/usr/sbin/${name}`, `/usr/local/sbin/${name}`, `/usr/bin/${name}`]) {
    try {
      if ((await Deno.stat(path)).isFile) return path;
    } catch (thrown) {
      if (!(thrown instanceof Deno.errors.NotFound)) throw thrown;
    }
  }
  return undefined;
}

function without(path: string | undefined, name: string): string | undefined {
  return path === undefined ? `${name} is not installed` : undefined;
}

/** Sends the bytes of a request, and reads until the server has no more to say. */
async function ask(port: number, request: string): Promise<void> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const writer = connection.writable.getWriter();
  await writer.write(new TextEncoder().encode(request));
  try {
    for await (const _ of connection.readable);
  } catch (thrown) {
    // The server resets a connection with an unread request that it rejects.
    if (!(thrown instanceof Deno.errors.ConnectionReset)) throw thrown;
  }
}

function get(path: string, ...headers: readonly string[]): string {
  return ["GET", path, "HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"].join(" ") +
    headers.map((header) => `${header}\r\n`).join("") + "\r\n";
}

/** Requests that a server on the internet gets. */
const REQUESTS: readonly string[] = [
  get("/"),
  get("/?a=1&b=%22two%22", "User-Agent: curl/8.5.0"),
  get("/large", "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
  get("/missing/Gr%C3%BC%C3%9Fe", "Referer: https://example.com/a b"),
  get("/moved"),
  get("/forbidden"),
  get("/proxied"),
  get("/Grüße", "User-Agent: Grüße"),
  get('/"quoted"', 'User-Agent: "quoted" \\ back', 'Referer: " 200 5 "'),
  get("/", `Authorization: Basic ${btoa("jane doe:x")}`),
  get("/", "User-Agent: - - [10/Oct/2000:13:55:36 -0700]", "If-None-Match: *"),
  "HEAD / HTTP/1.0\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
  // No HTTP at all.
  "\x16\x03\x01\x02\r\n\r\n",
  "GET\r\n\r\n",
];

const ROUNDS = 10;

interface Server {
  readonly port: number;
  readonly process: Process;
}

/** Unquoted lists of upstreams between other fields. */
const UPSTREAMS = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent ' +
  '"$http_referer" "$http_user_agent" $request_length $request_time $upstream_addr ' +
  "$upstream_response_length $upstream_response_time $upstream_status $request_id";

async function startNginx(directory: string): Promise<Server> {
  const port = freePort();
  const upstream = freePort();
  await Deno.mkdir(`${directory}/root`);
  await Deno.writeTextFile(`${directory}/root/index.html`, "x".repeat(612));
  await Deno.writeTextFile(`${directory}/root/large`, "x".repeat(20_000));
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${directory}/${name};`).join(" ");
  await Deno.writeTextFile(
    `${directory}/nginx.conf`,
    `daemon off; master_process off; pid ${directory}/pid; error_log stderr notice;
events {}
http {
  ${temporary}
  log_format timed '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
    '"$http_referer" "$http_user_agent" $request_time';
  log_format json escape=json '{"time":"$time_iso8601","status":$status,"request_time":$request_time,'
    '"request":"$request","user":"$remote_user","agent":"$http_user_agent"}';
  access_log ${directory}/access.log;
  log_format upstreams '${UPSTREAMS}';
  access_log ${directory}/timed.log timed;
  access_log ${directory}/upstreams.log upstreams;
  access_log ${directory}/json.log json;
  server {
    listen 127.0.0.1:${port};
    root ${directory}/root;
    location = /moved { return 301 /; }
    location = /forbidden { return 403; }
    location /large { limit_rate 16k; }
    location /proxied { proxy_pass http://two/; }
  }
  server {
    listen 127.0.0.1:${upstream};
    access_log off;
    root ${directory}/root;
  }
  upstream two {
    server 127.0.0.1:${upstream} max_fails=0;
    server 127.0.0.1:1 max_fails=0;
  }
}`,
  );
  const process = new Process(NGINX ?? "", ["-c", `${directory}/nginx.conf`, "-e", "stderr"]);
  await process.logged(/using the "\w+" event method/);
  return { port, process };
}

async function startApache(directory: string): Promise<Server> {
  const port = freePort();
  // It gives root's rights up before it answers.
  await Deno.chmod(directory, 0o755);
  await Deno.mkdir(`${directory}/root`);
  await Deno.writeTextFile(`${directory}/root/index.html`, "x".repeat(612));
  await Deno.writeTextFile(`${directory}/root/large`, "x".repeat(20_000));
  const modules = ["mpm_event", "authn_core", "authz_core", "alias", "dir"]
    .map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`);
  const own = await Deno.readTextFile("/etc/apache2/apache2.conf").catch(() => "");
  const combined = /^LogFormat .* combined$/m.exec(own)?.[0] ??
    'LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\"" combined';
  await Deno.writeTextFile(
    `${directory}/apache.conf`,
    `${modules.join("\n")}
ServerRoot ${directory}
ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${directory}/pid
DefaultRuntimeDir ${directory}
ErrorLog /dev/stderr
LogLevel notice
User www-data
Group www-data
DocumentRoot ${directory}/root
${combined}
${combined.replace(/"\s+combined$/, ' %D" timed')}
${combined.replace(/"\s+combined$/, ' %T %D" both')}
CustomLog ${directory}/access.log combined
CustomLog ${directory}/timed.log timed
CustomLog ${directory}/both.log both
Redirect /moved /
<Location /forbidden>
  Require all denied
</Location>
`,
  );
  const process = new Process(APACHE ?? "", ["-DFOREGROUND", "-f", `${directory}/apache.conf`]);
  await process.logged(/resuming normal operations/);
  return { port, process };
}

/** Asks everything several times, and ends the server, so that its log is whole. */
async function visit({ port, process }: Server): Promise<void> {
  const rounds = Array.from({ length: ROUNDS }, () => REQUESTS).flat();
  await Promise.all(rounds.map((request) => ask(port, request)));
  await process[Symbol.asyncDispose]();
}

/** A value for each line, by status. */
type Reference = ReadonlyMap<string, readonly number[]>;

/** The lines of a log, each split by `pattern` into its status and its value. */
async function reference(file: string, pattern: RegExp): Promise<Reference> {
  const values = new Map<string, number[]>();
  const lines = (await Deno.readTextFile(file)).trimEnd().split("\n");
  assert.equal(lines.length, ROUNDS * REQUESTS.length, "the server has logged every request");
  for (const line of lines) {
    const { status, value } = pattern.exec(line)?.groups ?? {};
    assert.ok(status !== undefined && value !== undefined, line);
    values.set(status, [...values.get(status) ?? [], Number(value)]);
  }
  assert.ok(values.size >= 5, [...values.keys()].join());
  return values;
}

/** Sends a log as people would, and compares each status's data point with the reference. */
async function compare(
  file: string,
  expected: Reference,
  bounds: readonly number[],
  args: readonly string[],
): Promise<void> {
  await using receiver = await startReceiver();
  const { status, stdout, stderr } = await runProgram({
    args: [
      ...["--endpoint", receiver.url, "--output", "json", "--input", file],
      ...["--attr-field", "status", "--buckets", bounds.join(), ...args],
    ],
  });
  const count = [...expected.values()].reduce((sum, { length }) => sum + length, 0);
  assert.equal(status, 0, stderr + stdout);
  assert.match(stdout, new RegExp(`"recorded":${count},"delivered":${count},.*"invalid":0,`));
  const points = receiver.requests.flatMap(({ content }) =>
    decode(content).metrics.flatMap(({ points }) => points)
  );
  assert.deepEqual(
    points.map(statusOf).sort(),
    [...expected.keys()].sort(),
  );
  for (const point of points) assertPoint(point, expected.get(statusOf(point)) ?? [], bounds);
}

function statusOf({ attributes }: Point): string {
  return String(attributes["status"]);
}

function assertPoint(point: Point, values: readonly number[], bounds: readonly number[]): void {
  const buckets = [...bounds, Infinity].map((bound, i) =>
    values.filter((value) => value <= bound && value > (bounds[i - 1] ?? -Infinity)).length
  );
  const { count, sum = NaN, min, max, counts } = point;
  assert.deepEqual(
    { count, min, max, bounds: point.bounds, counts },
    {
      count: values.length,
      min: Math.min(...values),
      max: Math.max(...values),
      bounds,
      counts: buckets,
    },
    `status ${statusOf(point)}`,
  );
  const exact = values.reduce((total, value) => total + value, 0);
  assert.ok(Math.abs(sum - exact) <= 1e-9 * Math.abs(exact), `sum ${sum}, not ${exact}`);
}

/** Status and size; no field before them holds a quote that is not escaped. */
const SIZE = /" (?<status>\d{3}) (?<value>\d+) "/;

Deno.test({
  ...namedUnless(
    without(NGINX, "nginx"),
    "send counts what a real nginx has logged: combined, with its request time, as JSON",
  ),
  async fn() {
    await inDirectory(async (directory) => {
      await visit(await startNginx(directory));
      const access = `${directory}/access.log`;
      const sizes = await reference(access, SIZE);
      const size = ["--metric", "http.server.response.body.size", "--unit", "By"];
      const bytes = [...size, "--value-field", "bytes"];
      await compare(access, sizes, SIZES, [...bytes, "--input-format", "combined"]);
      // The format is recognised by itself.
      await compare(access, sizes, SIZES, bytes);
      const pattern = '^\\S+ - .* \\[[^\\]]+\\] ".*" (?<status>\\d{3}) (?<bytes>\\d+) ".*" ".*"$';
      await compare(access, sizes, SIZES, [
        ...bytes,
        ...["--input-format", "pattern", "--pattern", pattern],
      ]);

      const timed = `${directory}/timed.log`;
      const times = await reference(timed, /" (?<status>\d{3}) \d+ .* (?<value>\d+\.\d{3})$/);
      assert.ok((times.get("200") ?? []).some((value) => value > 0.1), "something took time");
      const duration = ["--unit", "s", "--value-field", "request_time"];
      await compare(timed, times, TIMES, [...duration, "--input-format", "combined"]);
      await compare(`${directory}/json.log`, times, TIMES, duration);
      await compare(`${directory}/upstreams.log`, times, TIMES, [
        ...["--unit", "s", "--scale", "7", "--log-format", UPSTREAMS],
      ]);
    });
  },
});

Deno.test({
  ...namedUnless(
    without(APACHE, "Apache"),
    "send counts what a real Apache has logged: combined as Debian has it, with its time in µs",
  ),
  async fn() {
    await inDirectory(async (directory) => {
      await visit(await startApache(directory));
      const access = `${directory}/access.log`;
      const bytes = ["--unit", "By", "--value-field", "bytes"];
      await compare(access, await reference(access, SIZE), SIZES, bytes);

      const timed = `${directory}/timed.log`;
      const times = await reference(timed, /" (?<status>\d{3}) \d+ .* (?<value>\d+)$/);
      const bounds = [50, 100, 200, 500, 1000, 5000];
      await compare(timed, times, bounds, ["--unit", "us", "--value-field", "request_time"]);
      const logFormat = '%h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i" %T %D';
      await compare(`${directory}/both.log`, times, bounds, [
        "--unit",
        "us",
        "--log-format",
        logFormat,
      ]);
    });
  },
});

Deno.test({
  ...namedUnless(
    without(NGINX, "nginx"),
    "send --follow counts every request of a real nginx whose log is rotated twice",
  ),
  async fn() {
    await inDirectory(async (directory) => {
      await using receiver = await startReceiver();
      const { port, process } = await startNginx(directory);
      await using _ = process;
      await using program = await startProgram({
        cwd: directory,
        args: [
          ...["--endpoint", receiver.url, "--input", "access.log", "--input-format", "combined"],
          ...["--value-field", "bytes", "--unit", "By", "--attr-field", "status"],
          ...["--follow", "--from", "start", "--loop", "--interval", "0.1", "--output", "json"],
        ],
        timeoutMs: 60_000,
      });
      const rounds = 9;
      const quick = REQUESTS.filter((request) => !request.includes("/large"));
      for (let round = 0; round < rounds; round++) {
        await Promise.all(quick.map((request) => ask(port, request)));
        // A file that was rotated away before its first look does not count.
        if (round === 0) await receiver.waitForRequests(1);
        if (round % 3 === 1 && round < 6) {
          // As logrotate does it: the old file is written to until the server has opened a new one.
          await Deno.rename(`${directory}/access.log`, `${directory}/access.log.${round}`);
          await Promise.all(quick.map((request) => ask(port, request)));
          const reopened = receiver.requests.length;
          process.signal("SIGUSR1");
          await process.logged(new RegExp(`(?:reopening logs[^]*){${Math.ceil(round / 3)}}`));
          await receiver.waitForRequests(reopened + 1);
        }
      }
      const lines = (rounds + 2) * quick.length;
      const counted = () =>
        receiver.requests.flatMap(({ content }) =>
          decode(content).metrics.flatMap(({ points }) => points)
        ).reduce((sum, { count }) => sum + count, 0);
      while (counted() < lines) await receiver.waitForRequests(receiver.requests.length + 1);
      program.signal("SIGTERM");
      const { status, stdout, stderr } = await program.finished;
      assert.equal(status, 0, stderr);
      assert.equal(counted(), lines);
      assert.match(stdout, new RegExp(`"recorded":${lines},"delivered":${lines},.*"invalid":0,`));
    });
  },
});
