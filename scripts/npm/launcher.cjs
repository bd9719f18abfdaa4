#!/usr/bin/env node
// Command of the npm package: runs lib/main.js with the executable of npm's package `deno`, which is resolved below that
// package, where every package manager puts it, and needs no script to have run after the installation.
"use strict";

const { spawn } = require("node:child_process");
const { accessSync, constants: modes } = require("node:fs");
const { createRequire } = require("node:module");
const { constants: system } = require("node:os");
const { dirname, join } = require("node:path");
const process = require("node:process");
const { isatty } = require("node:tty");
const flags = require("./flags.json");

/** Exit code of the program for what is wrong before anything is sent. */
const CONFIGURATION = 2;

const isWindows = process.platform === "win32";
const platform = `${process.platform}-${process.arch}`;
const runtime = `@deno/${platform}${process.platform === "linux" ? "-glibc" : ""}`;

function fail(message, hint) {
  process.stderr.write(`ERROR: ${message}\n  Hint: ${hint}\n`);
  process.exit(CONFIGURATION);
}

/** Path of Deno's executable; ends the process if it cannot be run. */
function findDeno() {
  let owner;
  try {
    owner = require.resolve("deno/package.json");
  } catch {
    fail(
      'Cannot find Deno: the npm package "deno", on which this one depends, is not installed.',
      "Install otlp-histogram again, with its dependencies.",
    );
  }
  const { optionalDependencies = {} } = require(owner);
  if (optionalDependencies[runtime] === undefined) {
    fail(
      `Cannot run on ${platform}: npm has no Deno for it.`,
      "Use a computer with Linux (glibc), macOS or Windows, on x64 or arm64.",
    );
  }
  let executable;
  try {
    const folder = dirname(createRequire(owner).resolve(`${runtime}/package.json`));
    executable = join(folder, isWindows ? "deno.exe" : "deno");
    accessSync(executable, modes.X_OK);
    return executable;
  } catch (thrown) {
    if (thrown.code === "EACCES") {
      fail(`Cannot run ${executable}: it is not executable.`, "Make it executable with chmod +x.");
    }
    fail(
      `Cannot find Deno for ${platform}: the npm package "${runtime}" is not installed.`,
      "Install otlp-histogram again with --include=optional. On Alpine Linux, which has no glibc, use the container image.",
    );
  }
}

/** Environment of Deno. A command that the program runs has the one before (src/cli/child.ts). */
function environment() {
  const changed = {
    // Inside a script of npm it is where npm was called, not where this command was.
    INIT_CWD: process.cwd(),
    DENO_NO_UPDATE_CHECK: "1",
    // Deno would load modules that are meant for Node.
    NODE_OPTIONS: undefined,
    // Deno would send its own telemetry, to the same endpoint.
    OTEL_DENO: process.env.OTEL_DENO && "false",
  };
  const before = {};
  const env = { ...process.env };
  for (const [name, value] of Object.entries(changed)) {
    if (value === process.env[name]) continue;
    before[name] = process.env[name] ?? null;
    if (value === undefined) delete env[name];
    else env[name] = value;
  }
  return { ...env, OTLP_HISTOGRAM_LAUNCHER: JSON.stringify(before) };
}

/** Runs Deno as a child: passes signals on to it, and ends as it does. */
function runChild(deno, args, env) {
  const hasTerminal = [0, 1, 2].some(isatty);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGBREAK"]) {
    // Twice would mean "at once": a terminal, and a console of Windows, signals the child by itself.
    const isFromTerminal = signal === "SIGINT" || signal === "SIGQUIT" ? hasTerminal : false;
    if (system.signals[signal] === undefined) continue;
    process.on(signal, () => {
      if (!isWindows && !isFromTerminal) child.kill(signal);
    });
  }
  const child = spawn(deno, args, { stdio: "inherit", env });
  child.on(
    "error",
    (thrown) => fail(`Cannot start ${deno}: ${thrown.message}.`, "Install otlp-histogram again."),
  );
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // What the signal does not end, such as the first process of a container.
    setTimeout(() => process.exit(128 + system.signals[signal]), 100);
  });
}

const deno = findDeno();
const args = ["run", ...flags, join(__dirname, "../lib/main.js"), ...process.argv.slice(2)];
// Node 22.15 and later can become another program; nothing is left to pass on.
if (typeof process.execve === "function" && !isWindows) {
  process.execve(deno, [deno, ...args], environment());
} else runChild(deno, args, environment());
