import { startProxy } from "./proxy.ts";
import type { ServerTls } from "./receiver.ts";

/** An environment and a URL that fetch is asked for; each has a port of its own. In the values `{a}`, `{b}`, `{tls}`, `{socks}` and `{v6}` are HOST:PORT. */
export interface FetchCase {
  readonly url: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Requests of a case that a proxy saw. */
export interface Seen {
  readonly proxy: string;
  readonly target: string;
  readonly authorization: string | null;
}

/** Result of fetch for each case, and the proxies' addresses. */
export interface FetchReport {
  readonly deno: string;
  readonly places: Readonly<Record<string, string>>;
  /** Empty: no proxy saw anything. */
  readonly seen: readonly (readonly Seen[])[];
}

/** A case's variables with the places of the proxies in them. */
export function filled(
  { env }: FetchCase,
  places: FetchReport["places"],
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      name,
      value.replace(/\{(\w+)\}/g, (_, place: string) => places[place] ?? ""),
    ]),
  );
}

/** Runs fetch of this Deno through proxies that record, and refuse. */
async function report(cases: readonly FetchCase[], tls: ServerTls): Promise<FetchReport> {
  const proxies = {
    a: startProxy({ refuse: 403 }),
    b: startProxy({ refuse: 403 }),
    tls: startProxy({ refuse: 403, tls }),
    socks: startProxy({ refuse: 403, socks: true }),
    socksWithPassword: startProxy({
      refuse: 403,
      socks: true,
      credentials: { user: "u@r", password: "p:w" },
    }),
    ...hasIpv6() && { v6: startProxy({ refuse: 403, hostname: "::1" }) },
  };
  const places = Object.fromEntries(
    Object.entries(proxies).map(([name, { url }]) => [name, new URL(url).host]),
  );
  await Promise.all(cases.map(async (one) => {
    for (const name of Object.keys(Deno.env.toObject())) {
      if (/proxy$|^REQUEST_METHOD$/i.test(name)) Deno.env.delete(name);
    }
    for (const [name, value] of Object.entries(filled(one, places))) Deno.env.set(name, value);
    // A client reads the variables when it is made, before the next case sets its own.
    const client = Deno.createHttpClient({ caCerts: [tls.certificate] });
    // The outcome is that of a proxy that refuses, or of a host that is not there.
    await fetch(one.url, { client, signal: AbortSignal.timeout(60_000) })
      .then((response) => response.body?.cancel(), () => {});
    client.close();
  }));
  const all = Object.entries(proxies).flatMap(([proxy, { requests }]) =>
    requests.map(({ target, authorization }): Seen => {
      return { proxy, target, authorization: authorization ?? null };
    })
  );
  const seen = cases.map(({ url }) => {
    const end = new RegExp(`:${new URL(url).port}(/|$)`);
    return all.filter(({ target }) => end.test(target));
  });
  await Promise.all(Object.values(proxies).map((proxy) => proxy[Symbol.asyncDispose]()));
  return { deno: Deno.version.deno, places, seen };
}

/** Whether this machine has an IPv6 loopback. */
export function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch (thrown) {
    if (!(thrown instanceof Error)) throw thrown;
    return false;
  }
}

/** Runs the fetch of another Deno, in a process of its own: the variables are the process's. */
export async function fetchReport(
  deno: string,
  cases: readonly FetchCase[],
  tls: ServerTls,
): Promise<FetchReport> {
  const { success, stdout, stderr } = await new Deno.Command(deno, {
    args: ["run", "--no-config", "--no-prompt", "--quiet", "--allow-all", import.meta.url],
    env: {
      FETCH_CASES: JSON.stringify({ cases, tls }),
      DENO_NO_UPDATE_CHECK: "1",
      // Deno 2.9 looks a name up even if a proxy also does so; glibc waits 10 seconds for a resolver that is silent.
      RES_OPTIONS: "timeout:1 attempts:1",
    },
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

if (import.meta.main) {
  const { cases, tls } = JSON.parse(Deno.env.get("FETCH_CASES") ?? "");
  console.log(JSON.stringify(await report(cases, tls)));
}
