import type { IncomingMessage } from "node:http";
import type { Endpoint } from "./endpoint.ts";
import type { Credentials, Exchange } from "./exchange.ts";
import { NotSent } from "./reply.ts";
import { isAddress, targetOf } from "./target.ts";
import { openSocket } from "./tunnel.ts";

/** The largest head of a response that fetch reads, in bytes; node:https would read 16 KiB. */
const LARGEST_HEAD = 408 * 1024;

/**
 * Creates the exchange with a receiver whose certificate is not verified, which fetch cannot skip. Each request has
 * its own connection: on a reused one node:https of Deno can send a POST twice that timed out (denoland/deno#36786).
 */
export function insecureExchange(
  { url, proxy }: Pick<Endpoint, "url" | "proxy">,
  { ca, client }: Pick<Credentials, "ca" | "client">,
  method: "GET" | "POST" = "POST",
): Exchange {
  return async (body, headers, signal) => {
    const [{ Agent, request }, { connect }] = await Promise.all([
      import("node:https"),
      import("node:tls"),
    ]);
    const target = targetOf(url);
    const tunnel = proxy === undefined
      ? undefined
      : await openSocket(proxy, target, { ca, client }, signal);
    const options = {
      rejectUnauthorized: false,
      maxHeaderSize: LARGEST_HEAD,
      ...ca !== undefined && { ca },
      ...client,
    };
    /** Agent that hands out the tunnel: Deno's `request` accepts a connection only from its agent. */
    class TunnelAgent extends Agent {
      override createConnection() {
        return connect({
          ...options,
          ...!isAddress(target.host) && { servername: target.host },
          socket: tunnel,
        });
      }
    }
    return await new Promise((resolve, reject) => {
      let state: "new" | "connected" | "secured" = tunnel === undefined ? "new" : "connected";
      const sent = request(url, {
        method,
        headers: { ...headers, ...method === "POST" && { "content-length": body.length } },
        agent: tunnel === undefined ? false : new TunnelAgent({ keepAlive: false }),
        ...options,
      }, (answer) => {
        resolve({
          status: answer.statusCode ?? 0,
          headers: incomingHeaders(answer),
          chunks: incomingChunks(answer),
        });
      });
      // After a 101 (Switching Protocols) no answer follows: it is one, and nobody asked for it.
      sent.on("upgrade", (answer, socket) => {
        socket.destroy();
        resolve({ status: answer.statusCode ?? 0, headers: incomingHeaders(answer), chunks: null });
      });
      sent.on("socket", (socket) => {
        socket.once("connect", () => state = "connected");
        socket.once("secureConnect", () => state = "secured");
      });
      const abort = () => sent.destroy(new Error("aborted"));
      signal.addEventListener("abort", abort, { once: true });
      sent.on("close", () => {
        signal.removeEventListener("abort", abort);
        tunnel?.destroy();
      });
      sent.on("error", (error) => {
        if (state === "secured") return reject(error);
        reject(new NotSent(state === "new" ? error.message : `tls handshake: ${error.message}`));
      });
      sent.end(body);
      if (signal.aborted) abort();
    });
  };
}

function incomingHeaders({ headers }: IncomingMessage): Headers {
  return new Headers(
    Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]),
  );
}

function incomingChunks(answer: IncomingMessage): ReadableStream<Uint8Array> {
  let isCancelled = false;
  return new ReadableStream({
    start(controller) {
      // A response of more bytes than are read goes on for a moment after it was destroyed.
      answer.on("data", (chunk: Uint8Array) => isCancelled || controller.enqueue(chunk));
      answer.on("end", () => isCancelled || controller.close());
      answer.on("error", (error) => controller.error(error));
      answer.on("close", () => {
        if (!answer.complete) controller.error(new Error("error reading a body from connection"));
      });
    },
    cancel() {
      isCancelled = true;
      answer.destroy();
    },
  });
}
