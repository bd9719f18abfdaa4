import { type Connection, writeAll } from "./connection.ts";
import { concat, type Head } from "./http.ts";
import type { WireResponse } from "./wire_response.ts";

// HTTP/2 (RFC 9113) as far as a receiver of small requests needs it, written byte by byte: it sends what no library would.

const PREFACE_LENGTH = 24;
const [DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE] = [0, 1, 4, 6, 8];
const END_STREAM = 0x1;
const ACK = 0x1;
const END_HEADERS = 0x4;
const PADDED = 0x8;

/**
 * Answers the requests of one connection, one after the other; returns when it is to be closed. Of a request's head only
 * whether its body is compressed is known, from the body: header compression is not decoded.
 */
export async function converseHttp2(
  connection: Connection,
  answer: (head: Head, body: Uint8Array<ArrayBuffer>) => Promise<WireResponse>,
): Promise<void> {
  const exactly = reader(connection);
  await exactly(PREFACE_LENGTH);
  await writeAll(connection, frame(SETTINGS, 0, 0));
  const bodies = new Map<number, Uint8Array[]>();
  for (;;) {
    const head = await exactly(9);
    if (head === undefined) return;
    const view = new DataView(head.buffer);
    const [length, type, flags] = [view.getUint32(0) >>> 8, view.getUint8(3), view.getUint8(4)];
    const stream = view.getUint32(5) & 0x7fffffff;
    const payload = await exactly(length);
    if (payload === undefined) return;
    if (type === SETTINGS && (flags & ACK) === 0) {
      await writeAll(connection, frame(SETTINGS, ACK, 0));
    }
    if (type === PING && (flags & ACK) === 0) {
      await writeAll(connection, frame(PING, ACK, 0, payload));
    }
    if (type !== HEADERS && type !== DATA) continue;
    const parts = bodies.get(stream) ?? [];
    bodies.set(stream, parts);
    if (type === DATA && length > 0) {
      const pad = (flags & PADDED) === 0 ? 0 : 1;
      parts.push(payload.slice(pad, length - pad * (payload[0] ?? 0)));
      await writeAll(connection, concat([window(0, length), window(stream, length)]));
    }
    if ((flags & END_STREAM) === 0) continue;
    bodies.delete(stream);
    const body = concat(parts);
    const isGzip = body[0] === 0x1f && body[1] === 0x8b;
    const reply = await answer({
      method: "POST",
      target: "/v1/metrics",
      headers: new Headers(isGzip ? { "content-encoding": "gzip" } : {}),
    }, body);
    await writeAll(connection, encode(stream, reply));
    if (reply.cut) return;
  }
}

function encode(
  stream: number,
  { status = 200, headers = {}, body = "", cut = false }: WireResponse,
): Uint8Array {
  const content = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const fields = Object.entries({ ":status": String(status), ...headers });
  const end = content.length === 0 && !cut ? END_STREAM : 0;
  const head = frame(
    HEADERS,
    END_HEADERS | end,
    stream,
    concat(fields.map(([name, value]) => literal(name, value))),
  );
  const frames = [head];
  for (let at = 0; at < content.length; at += MOST_PAYLOAD) {
    const isLast = at + MOST_PAYLOAD >= content.length && !cut;
    const part = content.subarray(at, at + MOST_PAYLOAD);
    frames.push(frame(DATA, isLast ? END_STREAM : 0, stream, part));
  }
  return concat(frames);
}

/** Maximum size of a frame, unless the other side allows more. */
const MOST_PAYLOAD = 16_384;

/** A field that goes into no table, neither name nor value compressed (RFC 7541, 6.2.2). */
function literal(name: string, value: string): Uint8Array {
  const [key, text] = [new TextEncoder().encode(name), new TextEncoder().encode(value)];
  if (key.length > 126 || text.length > 126) throw new RangeError(`A long header: ${name}`);
  return concat([Uint8Array.of(0, key.length), key, Uint8Array.of(text.length), text]);
}

function window(stream: number, more: number): Uint8Array {
  const payload = new Uint8Array(4);
  new DataView(payload.buffer).setUint32(0, more);
  return frame(WINDOW_UPDATE, 0, stream, payload);
}

function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = new Uint8Array(),
): Uint8Array {
  const head = new Uint8Array(9);
  const view = new DataView(head.buffer);
  view.setUint32(0, payload.length << 8 | type);
  view.setUint8(4, flags);
  view.setUint32(5, stream);
  return concat([head, payload]);
}

/** Reads so many bytes; undefined when the connection ends before. */
function reader(connection: Connection) {
  let held = new Uint8Array(0);
  return async (size: number): Promise<Uint8Array<ArrayBuffer> | undefined> => {
    while (held.length < size) {
      const chunk = new Uint8Array(16_384);
      const count = await connection.read(chunk);
      if (count === null) return undefined;
      held = concat([held, chunk.subarray(0, count)]);
    }
    const taken = held.slice(0, size);
    held = held.slice(size);
    return taken;
  };
}
