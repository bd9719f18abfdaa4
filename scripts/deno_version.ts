/** Deno that the tests run with, and on which the npm package depends. */
export const DENO_VERSION = "2.9.6";
