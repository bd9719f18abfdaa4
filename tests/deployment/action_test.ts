import assert from "node:assert/strict";
import { parse } from "yaml";
import configuration from "../../deno.json" with { type: "json" };
import { testCases } from "../support/cases.ts";
import { inDirectory } from "../support/directory.ts";
import { bareEnvironment, commandLine } from "../support/program.ts";
import { noLinux } from "../support/tools.ts";

// The steps of action.yml as a runner executes them, with a folder in place of GitHub's releases.

const ROOT = new URL("../../", import.meta.url).pathname;

interface Action {
  readonly inputs: Readonly<
    Record<string, { description: string; required?: boolean; default?: string }>
  >;
  readonly runs: {
    readonly steps: readonly {
      readonly name: string;
      readonly shell: string;
      readonly run: string;
      readonly env: Readonly<Record<string, string>>;
    }[];
  };
}

const ACTION: Action = parse(await Deno.readTextFile(`${ROOT}action.yml`));
const [INSTALL, GATE] = ACTION.runs.steps;

type Inputs = Readonly<Record<string, string>>;

/** A runner's directory: with a release of `program`, and the files that steps write to. */
class Runner {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  async release(version: string, file: string, program: string, sum?: string): Promise<void> {
    const directory = `${this.directory}/releases/v${version}`;
    await Deno.mkdir(directory, { recursive: true });
    await Deno.writeTextFile(`${directory}/${file}`, program);
    const bytes = new TextEncoder().encode(program);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
    await Deno.writeTextFile(
      `${directory}/SHA256SUMS`,
      `${"0".repeat(64)}  other-${file}\n${sum ?? digest}  ${file}\n`,
    );
  }

  /** Runs a step of the action with these inputs. */
  async step(step: Action["runs"]["steps"][number] | undefined, inputs: Inputs, env: Inputs = {}) {
    assert.ok(step !== undefined);
    assert.equal(step.shell, "bash");
    const given = Object.entries(step.env).map(([name, value]) => [name, filledIn(value, inputs)]);
    const paths = (await Deno.readTextFile(`${this.directory}/path`).catch(() => "")).split("\n");
    const { code, stdout, stderr } = await new Deno.Command("bash", {
      // As runners call bash for `shell: bash`.
      args: ["--noprofile", "--norc", "-eo", "pipefail", "-c", step.run],
      cwd: this.directory,
      clearEnv: true,
      env: {
        ...bareEnvironment(),
        PATH: [...paths.filter((path) => path !== ""), Deno.env.get("PATH") ?? ""].join(":"),
        RUNNER_OS: "Linux",
        RUNNER_ARCH: "X64",
        RUNNER_TEMP: this.directory,
        GITHUB_ACTION_PATH: ROOT.replace(/\/$/, ""),
        GITHUB_PATH: `${this.directory}/path`,
        OTLP_HISTOGRAM_RELEASES: `file://${this.directory}/releases`,
        ...Object.fromEntries(given),
        ...env,
      },
      signal: AbortSignal.timeout(60_000),
    }).output();
    const [out = "", err = ""] = [stdout, stderr].map((it) => new TextDecoder().decode(it));
    return { code, out, err };
  }
}

/** Replaces `${{ inputs.NAME }}` by the input or its default. */
function filledIn(value: string, inputs: Inputs): string {
  return value.replace(/\$\{\{ inputs\.([a-z-]+) \}\}/g, (_, name) => {
    const input = ACTION.inputs[name];
    assert.ok(input !== undefined, `${name} is not an input`);
    return inputs[name] ?? input.default ?? "";
  });
}

function inRunner(work: (runner: Runner) => Promise<void>): () => Promise<void> {
  return () => inDirectory((directory) => work(new Runner(directory)));
}

/** This program, as a script. */
const PROGRAM = `#!/bin/sh\nexec ${commandLine().map((word) => `'${word}'`).join(" ")} "$@"\n`;
/** A program that notes its arguments, a line each, runs what follows `--`, and adds 10 to its status. */
const RECORDER = `#!/bin/bash
printf '%s\\n' "$@" >arguments
while [ "$1" != -- ]; do shift; done
shift
status=0
"$@" || status=$?
exit $((status + 10))
`;
const FILE = "otlp-histogram-linux-x64";
const { version } = configuration;

testCases([
  {
    name: "action.yml installs the release of its own version",
    run: inRunner(async (runner) => {
      await runner.release(version, FILE, PROGRAM);
      const { code, out, err } = await runner.step(INSTALL, {});
      assert.equal(code, 0, out + err);
      assert.equal(out, `Installed otlp-histogram ${version}\n`);
      const path = (await Deno.readTextFile(`${runner.directory}/path`)).trimEnd();
      const { success } = await new Deno.Command(`${path}/otlp-histogram`, {
        args: ["--version"],
        stdout: "null",
      }).output();
      assert.ok(success);
    }),
  },
  {
    name: "action.yml installs the release that its input version names",
    run: inRunner(async (runner) => {
      await runner.release("1.2.3", "otlp-histogram-macos-arm64", "#!/bin/sh\necho 1.2.3\n");
      const mac = { RUNNER_OS: "macOS", RUNNER_ARCH: "ARM64" };
      const { code, out, err } = await runner.step(INSTALL, { version: "v1.2.3" }, mac);
      assert.equal(code, 0, out + err);
      assert.equal(out, "Installed otlp-histogram 1.2.3\n");
    }),
  },
  {
    name: "action.yml installs no file whose checksum differs",
    run: inRunner(async (runner) => {
      await runner.release(version, FILE, PROGRAM, "1".repeat(64));
      const { code, out } = await runner.step(INSTALL, {});
      assert.equal(code, 1);
      assert.match(out, /^::error title=otlp-histogram::The checksum of otlp-histogram-linux-x64 /);
      await assert.rejects(Deno.stat(`${runner.directory}/path`), Deno.errors.NotFound);
    }),
  },
  {
    name: "action.yml names the version that does not exist",
    run: inRunner(async (runner) => {
      const { code, out } = await runner.step(INSTALL, { version: "9.9.9" });
      assert.equal(code, 1);
      assert.match(out, /^::error title=otlp-histogram::Cannot download .*"9\.9\.9"\.$/m);
    }),
  },
  {
    name: "action.yml names a machine that no release has an executable for",
    run: inRunner(async (runner) => {
      const { code, out } = await runner.step(INSTALL, {}, { RUNNER_ARCH: "ARM" });
      assert.equal(code, 1);
      assert.match(out, /^::error title=otlp-histogram::No release .* for Linux on ARM\. /);
    }),
  },
  {
    name: "action.yml turns its inputs into flags and runs the commands behind the gate",
    run: inRunner(async (runner) => {
      await runner.release(
        version,
        FILE,
        RECORDER.replace("printf", '[ "$1" != --version ] || exit 0\nprintf'),
      );
      assert.equal((await runner.step(INSTALL, {})).code, 0);
      const { code, out, err } = await runner.step(GATE, {
        run:
          'echo "in bash: $HOME_OF_STEP $((1 + 1))"\nenv | grep GATE_ || echo "no inputs"\n(exit 3)\necho "not reached"',
        expect: '\n  http.server.duration{http.route="/a b"} unit=s count>=3\r\njob.duration\n\n',
        ignore: "bucket-sum\nsum-range",
        wait: "60",
        junit: "a report.xml",
        rules: "dynatrace",
        flags: "--save\nrequests.jsonl",
      }, { HOME_OF_STEP: "home" });
      assert.equal(out, "in bash: home 2\nno inputs\n", err);
      assert.equal(code, 13);
      const args = (await Deno.readTextFile(`${runner.directory}/arguments`)).split("\n");
      assert.deepEqual(args.slice(0, args.indexOf("--") + 2), [
        ...["receive", "--rules", "dynatrace", "--fail-on", "error", "--wait", "60"],
        ...["--junit", "a report.xml", "--ignore", "bucket-sum", "--ignore", "sum-range"],
        ...["--expect", 'http.server.duration{http.route="/a b"} unit=s count>=3'],
        ...["--expect", "job.duration", "--save", "requests.jsonl", "--", "bash"],
      ]);
    }),
  },
  {
    name: "action.yml leaves flags out whose inputs are empty",
    run: inRunner(async (runner) => {
      await Deno.mkdir(`${runner.directory}/bin`);
      await Deno.writeTextFile(`${runner.directory}/bin/otlp-histogram`, RECORDER, { mode: 0o755 });
      await Deno.writeTextFile(`${runner.directory}/path`, `${runner.directory}/bin\n`);
      const { code } = await runner.step(GATE, { run: "true", "fail-on": "" });
      assert.equal(code, 10);
      const args = (await Deno.readTextFile(`${runner.directory}/arguments`)).split("\n");
      assert.deepEqual(args.slice(0, args.indexOf("--")), ["receive", "--rules", "otlp"]);
    }),
  },
].map((it) => ({ ...it, ignore: noLinux })));

Deno.test("action.yml describes each input, and each is used by a step", () => {
  const used = ACTION.runs.steps.flatMap(({ env }) => Object.values(env)).join();
  for (const [name, { description, required, default: value }] of Object.entries(ACTION.inputs)) {
    assert.ok(used.includes(`\${{ inputs.${name} }}`), name);
    assert.match(description, /^[A-Z]/);
    // A runner does not refuse an action without a required input.
    assert.equal(value === undefined, required === true, name);
  }
  // An input in a script is code; in an environment it is text.
  for (const { run } of ACTION.runs.steps) assert.doesNotMatch(run, /\$\{\{/);
});
