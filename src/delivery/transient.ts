import type { Failure } from "../http/reply.ts";

/**
 * A wrong certificate, name or password is not mended by trying again within seconds; it may be by the next send. A
 * connection that breaks in the middle of the handshake is one that broke, and a name that was `known` may be known
 * again; that the resolver does not answer for now (EAI_AGAIN) says nothing about a name.
 */
export function isTransient({ cause, message }: Failure, known: boolean): boolean {
  switch (cause) {
    case "certificate":
    case "setup":
    case "interrupted":
      return false;
    case "tls":
      return /eof|reset|broken|closed|disconnected/i.test(message);
    case "dns":
      return known || /EAI_AGAIN|temporary/i.test(message);
    case "proxy":
      return !/authenticat|auth (failure|methods)|\b407\b|rejected|certificate|corrupt message/i
        .test(message);
    default:
      return true;
  }
}
