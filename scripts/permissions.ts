import { SURROUNDING_VARIABLES } from "../src/commands/receive/command_environment.ts";
import { IGNORED_VARIABLES } from "../src/settings/dotenv_file.ts";
import { rowOf, SETTING_KEYS } from "../src/settings/settings.ts";

/** Variables that the program or its modules read and no setting names. */
const OTHER_VARIABLES = [
  // Values that the launcher of the npm package changed.
  "OTLP_HISTOGRAM_LAUNCHER",
  // Set by that launcher; a command does not inherit it.
  "DENO_NO_UPDATE_CHECK",
  // Where `deno task` was called.
  "INIT_CWD",
  // Whether the terminal shows colour.
  "TERM",
  // Whether what receive finds is annotated in a workflow of GitHub's.
  "GITHUB_ACTIONS",
  // The file in which receive summarizes a step of such a workflow.
  "GITHUB_STEP_SUMMARY",
  // fetch honours the proxy variables by itself; sending without verification has to read them.
  "HTTP_PROXY",
  "http_proxy",
  "HTTPS_PROXY",
  "https_proxy",
  "ALL_PROXY",
  "all_proxy",
  "NO_PROXY",
  "no_proxy",
  // Set under CGI, where HTTP_PROXY does not count.
  "REQUEST_METHOD",
  // Read by Node modules, which cannot be loaded when its value is not UTF-8: it is then taken away.
  "NODE_OPTIONS",
  // Read by node:https when a connection is opened without verification.
  "NODE_EXTRA_CA_CERTS",
  "NODE_TLS_REJECT_UNAUTHORIZED",
  "NODE_USE_SYSTEM_CA",
] as const;

/** Environment variables that the executable may read; all others are denied. */
const ENVIRONMENT: readonly string[] = [
  ...SETTING_KEYS.flatMap((key) => rowOf(key).variables ?? []),
  ...IGNORED_VARIABLES,
  // Set empty for the command that receive runs.
  ...SURROUNDING_VARIABLES,
  ...OTHER_VARIABLES,
];

/**
 * node:https asks for the system access "ca", which cannot be allowed by name: so all is allowed but what has a
 * name. `check` compares uid and gid with those of the token file.
 */
const DENIED_SYSTEM = [
  "cpus",
  "getPriority",
  "getegid",
  "homedir",
  "hostname",
  "loadavg",
  "networkInterfaces",
  "osRelease",
  "osUptime",
  "setPriority",
  "statfs",
  "systemMemoryInfo",
  "userInfo",
  "username",
] as const;

/**
 * Permissions of the executable: it may reach any receiver, read any file, read the variables above, and keep a spool.
 * It runs the command that the user gives to `exec` or `receive`, and every other command gives that permission up. It
 * loads no library.
 */
export const PERMISSIONS: readonly string[] = [
  "--allow-net",
  "--allow-read",
  // For the spool, in a directory that the user names.
  "--allow-write",
  // Without a list of programs, which also forbids a surrounding LD_LIBRARY_PATH.
  "--allow-run",
  `--allow-env=${ENVIRONMENT.join(",")}`,
  "--allow-sys",
  `--deny-sys=${DENIED_SYSTEM.join(",")}`,
];
