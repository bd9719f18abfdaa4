/** One block of a PEM file (RFC 7468), whole or cut off. */
export interface PemBlock {
  /** Label after BEGIN: `CERTIFICATE`, `PRIVATE KEY`. */
  readonly label: string;
  /** Text between BEGIN and END. */
  readonly content: string;
  /** Whether its END is there. */
  readonly isWhole: boolean;
}

const MARKER = /^-----(BEGIN|END) ([A-Z0-9 ]+)-----/gm;

/**
 * Splits a PEM file into its blocks; other text is ignored. BEGIN and END must start their lines, as for the TLS
 * library.
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

/**
 * Repairs a PEM file that editors or `cat` damaged: removes a byte order mark, and separates a BEGIN from the END
 * before it.
 */
export function tidyPem(text: string): string {
  return text.replace(/^\ufeff/, "").replace(/(-----END [A-Z0-9 ]+-----)(?=-----BEGIN )/g, "$1\n");
}

/** Formats one block as PEM. */
export function pemOf({ label, content }: PemBlock): string {
  return `-----BEGIN ${label}-----${content}-----END ${label}-----\n`;
}

/** Decodes the content of a block; undefined if it is not base64. */
export function derOf({ content }: PemBlock): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.fromBase64(content);
  } catch {
    return undefined;
  }
}
