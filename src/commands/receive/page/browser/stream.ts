/// <reference lib="dom" />
import type { Hello, Update } from "../protocol.ts";

/** Callbacks for the receiver's events. */
export interface StreamListener {
  hello(hello: Hello): void;
  update(update: Update): void;
  /** Called when the stream opens, or breaks and will be reopened. */
  state(state: "live" | "lost"): void;
  /** Called when the token was refused. */
  refused(why: string): void;
}

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 3000;

/** Returns headers with the reader's token. */
export type Headers = () => Record<string, string>;

/**
 * Follows the receiver's events. An EventSource could carry no token; the form is the same (HTML Standard, section
 * 9.2). Resolves when the token is refused; otherwise it continues across restarts of the receiver.
 */
export async function follow(headers: Headers, listener: StreamListener): Promise<void> {
  for (let wait = FIRST_WAIT_MS;; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
    try {
      const response = await fetch("/events", { headers: headers() });
      if (response.status === 401) return listener.refused(await response.text());
      if (response.ok && response.body !== null) {
        wait = FIRST_WAIT_MS / 2;
        await readEvents(response.body, listener);
      }
    } catch {
      // The receiver is not there (any more): said below, and tried again.
    }
    listener.state("lost");
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

async function readEvents(
  body: ReadableStream<Uint8Array>,
  listener: StreamListener,
): Promise<void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += decoder.decode(value, { stream: true });
    const events = text.split("\n\n");
    text = events.pop() ?? "";
    for (const event of events) passOn(event, listener);
  }
}

function passOn(event: string, listener: StreamListener): void {
  const [, name, data] = /^event: (\w+)\ndata: (.*)$/s.exec(event) ?? [];
  if (data === undefined) return;
  if (name === "hello") {
    listener.hello(JSON.parse(data));
    listener.state("live");
  } else if (name === "update") listener.update(JSON.parse(data));
}
