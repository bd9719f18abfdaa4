import { IGNORED_VARIABLES } from "../src/settings/dotenv_file.ts";
import { rowOf, SETTING_KEYS } from "../src/settings/settings.ts";

/** Variables that the program or its modules read and no setting names. */
const OTHER_VARIABLES = [
  // Where `deno task` was called.
  "INIT_CWD",
  // Whether the terminal shows colour.
  "TERM",
  // Whether what receive finds is annotated in a workflow of GitHub's.
  "GITHUB_ACTIONS",
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
 * It runs nothing and loads no library.
 */
export const PERMISSIONS: readonly string[] = [
  "--allow-net",
  "--allow-read",
  // For the spool, in a directory that the user names.
  "--allow-write",
  `--allow-env=${ENVIRONMENT.join(",")}`,
  "--allow-sys",
  `--deny-sys=${DENIED_SYSTEM.join(",")}`,
];
