import assert from "node:assert/strict";
import configuration from "../../deno.json" with { type: "json" };
import { figure } from "../support/figure.ts";
import { inDirectory } from "../support/directory.ts";
import { InstalledPackage, type LauncherWay, whyNoNpm } from "../support/npm_package.ts";
import { sourceOnly } from "../support/program.ts";
import { type ExportAnswer, startReceiver } from "../support/receiver.ts";
import { namedUnless } from "../support/tools.ts";

// The npm package, packed as for a release and installed from that file, run from an empty directory. The executable,
// when OTLP_HISTOGRAM_BIN names one, has nothing to do with it.

const reason = await whyNoNpm();
const WAYS: readonly LauncherWay[] = ["child", "execve"];
let installation: Promise<InstalledPackage> | undefined;

/** The installation, which all tests share. */
function installed(): Promise<InstalledPackage> {
  return installation ??= InstalledPackage.install();
}

function test(name: string, fn: (npm: InstalledPackage) => Promise<void>): void {
  if (!sourceOnly) return;
  Deno.test({
    ...namedUnless(reason, `the npm package ${name}`),
    fn: async () => await fn(await installed()),
  });
}

Deno.test.afterAll(async () => await (await installation)?.[Symbol.asyncDispose]());

test("is below 2 MB, and holds the launcher, the program, the licences and the man page", async ({ file, modules }) => {
  const { size } = await Deno.stat(file);
  await figure(`npm package: ${size} bytes`);
  assert.ok(size < 2_000_000, `${size} bytes`);
  const own = `${modules}/otlp-histogram`;
  const names = [...Deno.readDirSync(own)].map(({ name }) => name).sort();
  assert.deepEqual(names, [
    "LICENSE",
    "README.md",
    "THIRD-PARTY-LICENSES",
    "bin",
    "lib",
    "otlp-histogram.1",
    "package.json",
  ]);
  assert.deepEqual(
    [...Deno.readDirSync(`${own}/lib`)].filter(({ name }) => !name.endsWith(".js")),
    [],
  );
  const manifest = JSON.parse(await Deno.readTextFile(`${own}/package.json`));
  const { name, version, dependencies, bin, license, repository } = manifest;
  assert.deepEqual({ name, version, dependencies, bin, license, repository }, {
    name: "otlp-histogram",
    version: configuration.version,
    dependencies: { deno: Deno.version.deno },
    bin: { "otlp-histogram": "bin/otlp-histogram.cjs" },
    license: "MIT",
    repository: { type: "git", url: "git+https://github.com/ihudak/otlp_histogram.git" },
  });
});

test("prints its version, and leaves no file in the directory", async (npm) => {
  for (const way of WAYS) {
    const finished = await npm.run(way, ["--version"]);
    assert.deepEqual(
      finished,
      { status: 0, stdout: `${configuration.version}\n`, stderr: "" },
      way,
    );
  }
  assert.deepEqual([...Deno.readDirSync(npm.cwd)], []);
});

test("checks a receiver", async (npm) => {
  for (const way of WAYS) {
    await using receiver = await startReceiver();
    const { status, stdout, stderr } = await npm.run(way, [
      "check",
      "--endpoint",
      receiver.url,
      "--output",
      "json",
    ]);
    assert.deepEqual({ status, stderr }, { status: 0, stderr: "" }, `${way}: ${stdout}`);
    assert.match(stdout, /\n\{"type":"summary","ok":true,"exitCode":0\}\n$/);
  }
});

test("sends what a source of each kind says", async (npm) => {
  await inDirectory(async (directory) => {
    const lines = Array.from(
      { length: 2000 },
      (_, i) => `{"value":${i % 50},"attributes":{"id":"a${i % 7}"}}`,
    );
    await Deno.writeTextFile(`${directory}/lines.ndjson`, lines.join("\n"));
    await Deno.writeTextFile(`${directory}/pattern.txt`, `${"a".repeat(40)}!\ntook 5\n`);
    const sources: [string, readonly string[], number][] = [
      ["samples", [], 5],
      ["a value", ["--value", "12"], 1],
      ["NDJSON, read in WebAssembly", ["--input", `${directory}/lines.ndjson`], 2000],
      // Matched in a worker, as it may take forever.
      ["a pattern with a backreference", [
        ...["--input", `${directory}/pattern.txt`, "--input-format", "pattern"],
        ...["--pattern", String.raw`(?<w>t)ook (?<value>\d+)(?!\k<w>)`],
      ], 1],
      ["generated data", ["--series", "3", "--count", "30", "--seed", "a"], 30],
    ];
    for (const way of WAYS) {
      for (const [name, args, delivered] of sources) {
        await using receiver = await startReceiver();
        const { status, stdout } = await npm.run(way, [
          ...["--endpoint", receiver.url, "--output", "json", ...args],
        ]);
        assert.equal(status, 0, `${way}, ${name}: ${stdout}`);
        assert.ok(
          stdout.includes(`{"type":"summary","recorded":${delivered},"delivered":${delivered},`),
          `${name}: ${stdout}`,
        );
        assert.equal(receiver.requests.length, 1);
      }
    }
  });
});

test("ends with the exit code of the program", async (npm) => {
  const cases: [string, readonly string[], number, ExportAnswer?][] = [
    ["an invalid flag", ["--interval", "abc"], 2],
    ["a refused request", ["--retry-for", "0"], 1, 400],
    ["a command's own exit code", ["exec", "--", "sh", "-c", "exit 7"], 7],
    ["a command's signal", ["exec", "--", "sh", "-c", "kill -9 $$"], 137],
    ["a command that does not exist", ["exec", "--", "no-such-command"], 127],
  ];
  for (const way of WAYS) {
    for (const [name, args, expected, answer = 200] of cases) {
      await using receiver = await startReceiver({ answers: [answer] });
      const { status, stderr } = await npm.run(way, args, {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      });
      assert.equal(status, expected, `${way}, ${name}: ${stderr}`);
      assert.doesNotMatch(stderr, /^\s+at /m, name);
    }
  }
});

test("gates itself: receive runs the package's command", async (npm) => {
  const gated = ["--metric", "job.duration", "--unit", "ms", "--value", "12.5"];
  for (const way of WAYS) {
    for (
      const [expect, expected] of [["job.duration unit=ms", 0], ["job.duration unit=s", 1]] as const
    ) {
      const { status, stderr } = await npm.run(way, [
        "receive",
        "--expect",
        expect,
        "--",
        ...npm.words(way),
        ...gated,
      ]);
      assert.equal(status, expected, `${way}, ${expect}: ${stderr}`);
    }
  }
});

test("serves the page of receive --ui", async (npm) => {
  for (const way of WAYS) {
    await using program = npm.start(way, ["receive", "--ui", "--port", "0"]);
    const [url = ""] =
      /http:\/\/127\.0\.0\.1:\d+/.exec(await program.waitForStdout(/http:\/\/127\.0\.0\.1:\d+/)) ??
        [];
    const page = await fetch(url);
    assert.match(await page.text(), /<html/);
    program.signal("SIGTERM");
    assert.equal((await program.finished).status, 0);
  }
});

test("passes signals on, and ends as the program does", async (npm) => {
  for (const way of WAYS) {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const) {
      await using receiver = await startReceiver();
      const args = ["--endpoint", receiver.url, "--loop", "--interval", "60", "--output", "json"];
      await using program = npm.start(way, args);
      await program.waitForStdout('"type":"send"');
      program.signal(signal);
      const { status, stdout } = await program.finished;
      const handled = signal === "SIGTERM" || signal === "SIGINT";
      // The program leaves the others to the system, whose status a shell shows as 128 + N.
      assert.equal(status, handled ? 0 : signal === "SIGHUP" ? 129 : 131, `${way}, ${signal}`);
      assert.equal(
        /\{"type":"summary",.*"exitCode":0,/.test(stdout),
        handled,
        `${way}, ${signal}: ${stdout}`,
      );
    }
  }
});

test("resolves paths where the command was given, in a script of npm too", async (npm) => {
  await Deno.writeTextFile(`${npm.cwd}/values.txt`, "1\n2\n");
  try {
    for (const way of WAYS) {
      const args = ["plot", "--input", "values.txt", "--output", "json"];
      const { status, stdout, stderr } = await npm.run(way, args, { INIT_CWD: "/" });
      assert.equal(status, 0, stderr);
      assert.match(stdout, /"count":2,/);
    }
  } finally {
    await Deno.remove(`${npm.cwd}/values.txt`);
  }
});

test("sends nothing of Deno's own when OTEL_DENO is true", async (npm) => {
  for (const way of WAYS) {
    await using receiver = await startReceiver();
    const { status } = await npm.run(way, [], {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    });
    assert.equal(status, 0);
    assert.deepEqual(receiver.requests.map(({ target }) => target), ["/v1/metrics"], way);
  }
});

test("keeps what is meant for Node out of the program, and gives it to a command", async (npm) => {
  await inDirectory(async (directory) => {
    const module = `${directory}/loaded.cjs`;
    await Deno.writeTextFile(
      module,
      'console.error(`loaded by ${process.versions.deno ? "Deno" : "Node"}`);\n',
    );
    const env = { NODE_OPTIONS: `--require ${module}`, INIT_CWD: "/", OTEL_DENO: "true" };
    const names = [
      "NODE_OPTIONS",
      "INIT_CWD",
      "OTEL_DENO",
      "DENO_NO_UPDATE_CHECK",
      "OTLP_HISTOGRAM_LAUNCHER",
    ];
    const print = names.map((name) => `echo "${name}=\${${name}-not set}"`).join("; ");
    for (const way of WAYS) {
      for (const given of [env, {}]) {
        const { status, stdout, stderr } = await npm.run(
          way,
          ["exec", "--", "sh", "-c", print],
          given,
        );
        const expected = names.map((name) =>
          `${name}=${Object.entries(given).find(([key]) => key === name)?.[1] ?? "not set"}`
        );
        assert.deepEqual({ status, lines: stdout.trimEnd().split("\n") }, {
          status: 0,
          lines: expected,
        }, way);
        assert.doesNotMatch(stderr, /loaded by Deno/);
        assert.equal(stderr.includes("loaded by Node"), given === env, stderr);
      }
    }
  });
});

test("names what is missing, and how to get it", async (npm) => {
  const platform = `${Deno.build.os}-${Deno.build.arch === "x86_64" ? "x64" : "arm64"}`;
  const runtime = Deno.build.os === "linux" ? `@deno/${platform}-glibc` : `@deno/${platform}`;
  const cases: [string, string[]][] = [
    ["@deno", [
      `ERROR: Cannot find Deno for ${platform}: the npm package "${runtime}" is not installed.`,
      "  Hint: Install otlp-histogram again with --include=optional. On Alpine Linux, which has no glibc, use the container image.",
    ]],
    ["deno", [
      'ERROR: Cannot find Deno: the npm package "deno", on which this one depends, is not installed.',
      "  Hint: Install otlp-histogram again, with its dependencies.",
    ]],
  ];
  for (const [name, lines] of cases) {
    await Deno.rename(`${npm.modules}/${name}`, `${npm.modules}/.away`);
    try {
      for (const way of WAYS) {
        assert.deepEqual(await npm.run(way, ["--version"]), {
          status: 2,
          stdout: "",
          stderr: `${lines.join("\n")}\n`,
        });
      }
    } finally {
      await Deno.rename(`${npm.modules}/.away`, `${npm.modules}/${name}`);
    }
  }
});

test("names a Deno that is not executable", async (npm) => {
  const [folder] = [...Deno.readDirSync(`${npm.modules}/@deno`)].map(({ name }) => name);
  const executable = `${npm.modules}/@deno/${folder}/deno`;
  await Deno.chmod(executable, 0o644);
  try {
    const { status, stderr } = await npm.run("child", ["--version"]);
    assert.deepEqual({ status, stderr }, {
      status: 2,
      stderr:
        `ERROR: Cannot run ${executable}: it is not executable.\n  Hint: Make it executable with chmod +x.\n`,
    });
  } finally {
    await Deno.chmod(executable, 0o755);
  }
});
