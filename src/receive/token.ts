/** Whether an Authorization header is `Api-Token` with this token; takes as long whatever is wrong. */
export async function carriesToken(header: string | null, token: string): Promise<boolean> {
  const [, carried] = /^Api-Token\s+(\S+)\s*$/i.exec(header ?? "") ?? [];
  if (carried === undefined) return false;
  const [a, b] = await Promise.all([digest(carried), digest(token)]);
  let difference = 0;
  a.forEach((byte, i) => difference |= byte ^ (b[i] ?? 0));
  return difference === 0;
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
