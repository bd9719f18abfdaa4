/** One block of a PEM file (RFC 7468), whole or cut off. */
export interface PemBlock {
  /** What stands after BEGIN: `CERTIFICATE`, `PRIVATE KEY`. */
  readonly label: string;
  /** What stands between BEGIN and END. */
  readonly content: string;
  /** Whether its END is there. */
  readonly isWhole: boolean;
}

const MARKER = /^-----(BEGIN|END) ([A-Z0-9 ]+)-----/gm;

/**
 * The blocks of a PEM file in their order; text between them is no matter. As the TLS library reads them, nothing stands
 * before BEGIN and END on their lines.
 */
export function pemBlocks(text: string): readonly PemBlock[] {
  const blocks: PemBlock[] = [];
  let open: { readonly label: string; readonly from: number } | undefined;
  const close = (to: number, isWhole: boolean) => {
    if (open === undefined) return;
    blocks.push({ label: open.label, content: text.slice(open.from, to), isWhole });
    open = undefined;
  };
  for (const { 0: marker, 1: kind, 2: label = "", index } of text.matchAll(MARKER)) {
    if (kind === "BEGIN") {
      close(index, false);
      open = { label, from: index + marker.length };
    } else if (label === open?.label) close(index, true);
  }
  close(text.length, false);
  return blocks;
}

/** The text without what editors and `cat` leave in it: a byte order mark, a BEGIN behind the END before it. */
export function tidyPem(text: string): string {
  return text.replace(/^\ufeff/, "").replace(/(-----END [A-Z0-9 ]+-----)(?=-----BEGIN )/g, "$1\n");
}

/** A block as PEM, for itself. */
export function pemOf({ label, content }: PemBlock): string {
  return `-----BEGIN ${label}-----${content}-----END ${label}-----\n`;
}

/** What a block holds; undefined when that is not base64. */
export function derOf({ content }: PemBlock): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.fromBase64(content);
  } catch {
    return undefined;
  }
}
