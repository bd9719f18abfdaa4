import { unescapeQuoted } from "./escapes.ts";
import { Expression } from "./expression.ts";
import { type Piece, slotOf, TEXT_RANK, type Variable, WORD_RANK } from "./log_format_slot.ts";
import type { Pattern } from "./pattern.ts";

/** Variables in a row without text between them, or blanks in unquoted texts, are searched for: two at most. */
const MOST_OPEN = 2;

/**
 * Parses nginx's `log_format` or Apache's `LogFormat` string into a pattern, or says what would be right. Fields are
 * named after nginx's variables, or the fields of the format `combined` where Apache is meant; the whole directive may
 * be given as well.
 */
export function parseLogFormat(text: string): Pattern | { readonly expected: string } {
  const format = formatString(text.trim());
  const isNginx = NGINX_VARIABLE.test(format.replaceAll("\\$", ""));
  const pieces = isNginx ? nginxPieces(format) : apachePieces(format);
  if ("expected" in pieces) return pieces;
  if (!pieces.some((piece) => "variable" in piece)) {
    return { expected: "at least one of nginx's $variables or Apache's %directives" };
  }
  return compiled(pieces);
}

/** The string of a whole directive, and strings that the configuration has in several pieces. */
function formatString(text: string): string {
  const nginx = /^log_format\s+\S+\s+(?:escape=\w+\s+)?([^]*?);?$/.exec(text)?.[1];
  const apache = APACHE_DIRECTIVE.exec(text)?.[1];
  const rest = nginx ?? apache ?? text;
  // A format that is given alone may begin and end with a double quote of its own.
  const quotes = nginx === undefined && apache === undefined ? "'" : "'\"";
  return piecesOf(rest, quotes) ?? rest;
}

/** `LogFormat "…" name`, and `CustomLog file "…"`. */
const APACHE_DIRECTIVE =
  /^(?:LogFormat|TransferLog|CustomLog\s+(?:"[^"]*"|[^\s"]+))\s+("(?:[^"\\]|\\.)*")(?:\s+\S+)*$/;

/** Joins quoted pieces in a row, with comments between them; undefined if there is anything else. */
function piecesOf(text: string, quotes: string): string | undefined {
  const piece = /'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|#.*|\s+/gy;
  let joined: string | undefined;
  let end = 0;
  for (const match of text.matchAll(piece)) {
    const [whole, single, double] = match;
    const content = single ?? double;
    if (content !== undefined && !quotes.includes(whole.charAt(0))) return undefined;
    if (content !== undefined) joined = (joined ?? "") + content;
    end = match.index + whole.length;
  }
  return end === text.length ? joined : undefined;
}

const NGINX_VARIABLE = /\$(?:\w+|\{\w+\})/;
const NGINX_TOKEN = /\$(?:(\w+)|\{(\w+)\})|\\(.)|([^$\\]+|.)/gs;

function nginxPieces(format: string): readonly Piece[] {
  return Array.from(format.matchAll(NGINX_TOKEN), ([, plain, braced, escaped, literal]) => {
    const name = plain ?? braced;
    if (name === undefined) return { literal: escape(escaped) ?? literal ?? "" };
    return { variable: nginxVariable(name) };
  });
}

/** Variables that ngx_http_log_module, the core and the upstream module define with a unit of seconds. */
const NGINX_TIMES = /^(?:request_time|connection_time|session_time|upstream_\w*_time)$/;

function nginxVariable(name: string): Variable {
  if (NGINX_TIMES.test(name)) return { name, unit: "s", shape: "list" };
  if (name.includes("upstream_")) return { name, shape: "list" };
  if (/^(?:host|http_host|server_name)$/.test(name)) return { name, shape: "host" };
  if (name === "request") return { name, shape: "request" };
  if (name === "time_local") return { name, shape: "clf" };
  if (
    /^(?:status|bytes_sent|body_bytes_sent|request_length|msec|connection(?:_requests)?|pid|(?:remote|server)_port)$/
      .test(name)
  ) {
    return { name, shape: "number" };
  }
  const mayHaveBlanks = /^(?:remote_user|http_|sent_http_|cookie_|arg_|request_body|ssl_)/.test(
    name,
  );
  return { name, shape: mayHaveBlanks ? "text" : NGINX_WORDS.test(name) ? "word" : "custom" };
}

/** Variables of nginx itself that never have blanks; `map` and `set` can put any text into others. */
const NGINX_WORDS =
  /^(?:(?:binary_)?remote_addr|remote_port|request_(?:id|method|uri|completion)|scheme|server_(?:addr|port|protocol)|time_iso8601|connections_\w+|gzip_ratio|pipe|is_args|https|(?:proxy_protocol|realip_remote)_\w+|hostname|tcpinfo_\w+)$/;

/** Apache's directives, by their letters (mod_log_config; mod_logio has I, O and S). */
const APACHE: Readonly<Record<string, Variable>> = {
  a: { name: "remote_addr", shape: "word" },
  A: { name: "local_addr", shape: "word" },
  b: { name: "bytes", shape: "number", dash: "0" },
  B: { name: "bytes", shape: "number" },
  D: { name: "request_time", unit: "us", shape: "number" },
  f: { name: "filename", shape: "text" },
  h: { name: "remote_addr", shape: "word" },
  H: { name: "protocol", shape: "word" },
  I: { name: "bytes_received", shape: "number" },
  k: { name: "keepalive", shape: "number" },
  l: { name: "ident", shape: "word" },
  L: { name: "log_id", shape: "word" },
  m: { name: "method", shape: "word" },
  O: { name: "bytes", shape: "number" },
  p: { name: "port", shape: "number" },
  P: { name: "pid", shape: "word" },
  q: { name: "query", shape: "query" },
  r: { name: "request", shape: "request" },
  R: { name: "handler", shape: "word" },
  s: { name: "status", shape: "number" },
  S: { name: "bytes_transferred", shape: "number" },
  t: { name: "time", shape: "bracketed" },
  T: { name: "request_time", unit: "s", shape: "number" },
  u: { name: "user", shape: "text" },
  U: { name: "path", shape: "path" },
  v: { name: "host", shape: "host" },
  V: { name: "host", shape: "host" },
  X: { name: "connection_status", shape: "word" },
  // mod_logio: until the first byte of the response, in microseconds.
  "^FB": { name: "first_byte_time", unit: "us", shape: "number" },
};
const APACHE_TOKEN =
  /%%|%[!\d,<>]*(?:\{([^}]*)\})?(\^t[io]|\^FB|[A-Za-z])|\\(.)|([^%\\]+|%\S*|.)/gs;

function apachePieces(format: string): readonly Piece[] | { readonly expected: string } {
  const pieces: Piece[] = [];
  for (const [whole, argument, letter, escaped, literal] of format.matchAll(APACHE_TOKEN)) {
    if (letter === undefined) {
      if (literal?.startsWith("%")) return notADirective(literal);
      pieces.push({ literal: whole === "%%" ? "%" : escape(escaped) ?? literal ?? "" });
      continue;
    }
    const variable = apacheVariable(letter, argument);
    if (variable === undefined) return notADirective(whole);
    pieces.push({ variable });
  }
  return pieces;
}

function notADirective(text: string): { readonly expected: string } {
  return {
    expected:
      `directives of Apache's LogFormat: ${text} is not one; for another server, use --pattern`,
  };
}

function apacheVariable(letter: string, argument: string | undefined): Variable | undefined {
  switch (letter) {
    case "i":
    case "o":
    case "^ti":
    case "^to":
    case "C":
    case "e":
    case "n":
      return argument === undefined ? undefined : { name: argument.toLowerCase(), shape: "text" };
    case "x":
    case "c":
      // mod_ssl's variables: of these only the distinguished names of certificates have blanks.
      return argument === undefined
        ? undefined
        : { name: argument.toLowerCase(), shape: /_DN/i.test(argument) ? "text" : "word" };
    case "T":
      if (argument === undefined) break;
      return ["s", "ms", "us"].includes(argument)
        ? { name: "request_time", unit: argument, shape: "number" }
        : undefined;
    case "t":
      return argument === undefined ? APACHE[letter] : { name: "time", shape: "text" };
  }
  return APACHE[letter];
}

/** Apache's and nginx's configuration knows these. */
function escape(character: string | undefined): string | undefined {
  return character === "t" ? "\t" : character === "n" ? "\n" : character;
}

/** The expression of all pieces, and the names of its groups. */
function compiled(pieces: readonly Piece[]): Pattern | { readonly expected: string } {
  const merged = mergedLiterals(pieces);
  const best = bestUnits(merged);
  const groups: { readonly name: string; readonly variable: Variable }[] = [];
  const named = new Set<string>();
  const add = (name: string, variable: Variable) => {
    const isFirst = !named.has(name) &&
      (variable.unit === undefined || best.get(name) === variable);
    if (isFirst) {
      named.add(name);
      groups.push({ name, variable });
    }
    return isFirst ? "(" : "(?:";
  };
  const slots = merged.map((piece, i) => "literal" in piece ? undefined : slotOf(merged, i, piece));
  const open = slots.filter((slot) => slot?.isOpen).length;
  const searched = [TEXT_RANK, WORD_RANK]
    .flatMap((rank) => slots.filter((slot) => slot?.rank === rank))
    .slice(0, Math.max(0, MOST_OPEN - open));
  let source = "";
  merged.forEach((piece, i) => {
    if ("literal" in piece) {
      source += piece.literal.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&").replace(/\t/g, "\\t");
      return;
    }
    const { variable } = piece;
    const slot = slots[i];
    const isSearched = searched.includes(slot);
    const own = !isSearched ? slot?.source : slot?.rank === TEXT_RANK ? ".*?" : "[^ ]*?";
    const group = add(variable.name ?? "", variable);
    source += variable.shape === "bracketed" ? `\\[${group}${own})\\]` : `${group}${own})`;
  });
  if (open > MOST_OPEN) {
    return {
      expected:
        "text between the variables: too many variables that may contain spaces are neither in " +
        "quotes nor in brackets",
    };
  }
  const expression = Expression.compile(`^${source}\\s*$`, "--log-format");
  if ("fault" in expression) return { expected: `fewer variables (${expression.fault})` };
  const fields = groups.map(({ name }) => name);
  const units = new Map(
    groups.flatMap(({ name, variable: { unit } }) => unit === undefined ? [] : [[name, unit]]),
  );
  const aliases = groups.some(({ variable }) => variable.shape === "request")
    ? REQUEST_FIELDS.filter((name) => !named.has(name))
    : [];
  const userAgent = named.has("user-agent") && !named.has("agent") ? ["agent"] : [];
  return {
    name: "log format",
    fields: [...fields, ...aliases, ...userAgent],
    units,
    expression,
    ahead: (lines) => expression.ahead(lines),
    match(line) {
      const match = expression.exec(line);
      if (match === null) return undefined;
      const found: Record<string, string | undefined> = {};
      groups.forEach(({ name, variable }, i) => {
        const raw = match[i + 1] ?? "";
        const text = variableText(raw, variable);
        found[name] = text;
        if (variable.shape === "request" && text !== undefined) {
          const parts = /^([A-Za-z][\w-]*) (\S+?)(?:\?(\S*))?(?: (HTTP\/\S+))?$/.exec(text) ?? [];
          REQUEST_FIELDS.forEach((part, k) => {
            if (aliases.includes(part)) found[part] = parts[k + 1];
          });
        }
      });
      if (userAgent.length > 0) found["agent"] = found["user-agent"];
      return found;
    },
  };
}

/** Returns the value that the text in a variable's place means; undefined: the field is missing. */
function variableText(raw: string, { shape, dash }: Variable): string | undefined {
  if (raw === "") return undefined;
  if (raw === "-") return dash;
  return shape === "query" ? raw.slice(1) : unescapeQuoted(raw);
}

/** The fields of a request line, as of the format `combined`. */
const REQUEST_FIELDS = ["method", "path", "query", "protocol"];

function mergedLiterals(pieces: readonly Piece[]): readonly Piece[] {
  const merged: Piece[] = [];
  for (const piece of pieces) {
    const last = merged.at(-1);
    if ("literal" in piece && last !== undefined && "literal" in last) {
      merged[merged.length - 1] = { literal: last.literal + piece.literal };
    } else merged.push(piece);
  }
  return merged;
}

const PRECISION = ["us", "ms", "s"];

/** Finds the most precise of several times with one name, such as `%T` and `%D`. */
function bestUnits(pieces: readonly Piece[]): ReadonlyMap<string, Variable> {
  const best = new Map<string, Variable>();
  for (const piece of pieces) {
    if (!("variable" in piece)) continue;
    const { name = "", unit } = piece.variable;
    if (unit === undefined) continue;
    const known = best.get(name)?.unit;
    if (known === undefined || PRECISION.indexOf(unit) < PRECISION.indexOf(known)) {
      best.set(name, piece.variable);
    }
  }
  return best;
}
