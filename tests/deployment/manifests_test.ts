import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import configuration from "../../deno.json" with { type: "json" };
import { homebrewFormula, parseSums, scoopManifest } from "../../scripts/manifests.ts";
import { inDirectory } from "../support/directory.ts";
import { namedUnless } from "../support/tools.ts";

const { version } = configuration;
const RELEASE = `https://github.com/ihudak/otlp_histogram/releases/download/v${version}`;
const FILES = [
  ...["linux-x64", "linux-arm64", "macos-x64", "macos-arm64", "windows-x64.exe"].map((platform) =>
    `otlp-histogram-${platform}`
  ),
  "otlp-histogram.1",
];

/** Makes a release's files in a directory, each with other content, and their sums as the workflow does. */
async function makeRelease(directory: string): Promise<string> {
  for (const name of FILES) {
    await Deno.writeTextFile(`${directory}/${name}`, `the content of ${name}`);
  }
  const { success, stdout } = await new Deno.Command("sha256sum", { args: FILES, cwd: directory })
    .output();
  assert.ok(success);
  await Deno.writeFile(`${directory}/SHA256SUMS`, stdout);
  return new TextDecoder().decode(stdout);
}

async function sumOf(content: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(content)))
    .toHex();
}

/** Runs the script as the workflow does. */
async function render(directory: string) {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...[
        "run",
        "--frozen",
        "--quiet",
        "--no-prompt",
        `--allow-read`,
        `--allow-write=${directory}`,
      ],
      fileURLToPath(new URL("../../scripts/manifests.ts", import.meta.url)),
      `${directory}/SHA256SUMS`,
      directory,
    ],
    env: { NO_COLOR: "1" },
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

/** Reads the blocks of a formula that hold a URL and its sum: the names of the blocks around it -> both. */
function sourcesOf(formula: string): Record<string, { url: string; sha256: string }> {
  const sources: Record<string, { url: string; sha256: string }> = {};
  const open: string[] = [];
  let url = "";
  for (const line of formula.split("\n").map((line) => line.trim())) {
    const [, block] = /^(?:class|def|(.+) do)\b/.exec(line) ?? [];
    if (/^(class|def)\b/.test(line) || block !== undefined) open.push(block ?? "");
    if (line === "end") open.pop();
    const [, key, value = ""] = /^(url|sha256) "(.*)"$/.exec(line) ?? [];
    if (key === "url") url = value;
    if (key === "sha256") {
      sources[open.filter((name) => name !== "").join(" ")] = { url, sha256: value };
    }
  }
  assert.deepEqual(open, []);
  return sources;
}

Deno.test("a release's formula and manifest name its files with their sums", async () => {
  await inDirectory(async (directory) => {
    await makeRelease(directory);
    assert.deepEqual(await render(directory), { code: 0, stderr: "" });
    const source = async (name: string) => ({
      url: `${RELEASE}/${name}`,
      sha256: await sumOf(`the content of ${name}`),
    });

    const formula = await Deno.readTextFile(`${directory}/otlp-histogram.rb`);
    assert.deepEqual(sourcesOf(formula), {
      "on_macos on_arm": await source("otlp-histogram-macos-arm64"),
      "on_macos on_intel": await source("otlp-histogram-macos-x64"),
      "on_linux on_arm": await source("otlp-histogram-linux-arm64"),
      "on_linux on_intel": await source("otlp-histogram-linux-x64"),
      'resource "man-page"': await source("otlp-histogram.1"),
    });
    assert.match(formula, /^class OtlpHistogram < Formula\n/);
    assert.ok(formula.includes(`  version "${version}"\n  license "MIT"\n`));

    const windows = await source("otlp-histogram-windows-x64.exe");
    const manifest = JSON.parse(await Deno.readTextFile(`${directory}/otlp-histogram.json`));
    assert.deepEqual(manifest, {
      version,
      description: manifest.description,
      homepage: "https://github.com/ihudak/otlp_histogram",
      license: "MIT",
      architecture: {
        "64bit": { url: `${windows.url}#/otlp-histogram.exe`, hash: windows.sha256 },
      },
      bin: "otlp-histogram.exe",
      checkver: { github: "https://github.com/ihudak/otlp_histogram" },
      autoupdate: {
        architecture: {
          "64bit": { url: `${windows.url.replace(version, "$version")}#/otlp-histogram.exe` },
        },
        hash: { url: "$baseurl/SHA256SUMS" },
      },
    });
    assert.match(manifest.description, /^[A-Z].{20,80}[^.]$/);
  });
});

Deno.test("sums that lack a file, or are not sums, fail the script with one line", async () => {
  const cases: [string, (sums: string) => string, string][] = [
    [
      "an executable is missing",
      (sums) => sums.replace(/^.*macos-arm64\n/m, ""),
      "The sums do not name otlp-histogram-macos-arm64",
    ],
    [
      "the Windows executable is missing",
      (sums) => sums.replace(/^.*\.exe\n/m, ""),
      "The sums do not name otlp-histogram-windows-x64.exe",
    ],
    ["a line is not a sum", () => "404: Not Found\n", 'Invalid line in the sums: "404: Not Found"'],
  ];
  for (const [name, edit, message] of cases) {
    await inDirectory(async (directory) => {
      const sums = await makeRelease(directory);
      await Deno.writeTextFile(`${directory}/SHA256SUMS`, edit(sums));
      assert.deepEqual(
        await render(directory),
        { code: 1, stderr: `manifests: ${message}\n` },
        name,
      );
    });
  }
});

Deno.test("a Scoop manifest has sums of files in text and in binary mode", () => {
  const sum = "0".repeat(64);
  for (const mark of [" ", "*"]) {
    const sums = parseSums(`${sum} ${mark}otlp-histogram-windows-x64.exe\n`);
    assert.equal(JSON.parse(scoopManifest("1.2.3", sums)).architecture["64bit"].hash, sum);
  }
});

const noRuby = await whyNoRuby();

async function whyNoRuby(): Promise<string | undefined> {
  try {
    return (await new Deno.Command("ruby", { args: ["--version"] }).output()).success
      ? undefined
      : "ruby --version fails";
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return "ruby is not installed";
    throw thrown;
  }
}

/** Homebrew's class, as far as a formula declares what to install where: prints it for one platform. */
const HOMEBREW = `
class Formula
  class << self
    attr_reader :found
    def set(key, value) = ((@found ||= {})[key] = value)
    %w[desc homepage version license url sha256].each do |name|
      define_method(name) { |value = nil| value.nil? ? @found[name] : set(name, value) }
    end
    def on_macos = (yield if $os == "macos")
    def on_linux = (yield if $os == "linux")
    def on_arm = (yield if $cpu == "arm")
    def on_intel = (yield if $cpu == "intel")
    def resource(*) = nil
    def test = nil
  end
end
$os, $cpu, file = ARGV
load file
puts OtlpHistogram.found["url"]
abort "install is missing" unless OtlpHistogram.method_defined?(:install)
`;

Deno.test({
  ...namedUnless(
    noRuby,
    "ruby reads the formula without a warning, and it has one file per platform",
  ),
  async fn() {
    await inDirectory(async (directory) => {
      const file = `${directory}/otlp-histogram.rb`;
      const sums = parseSums(FILES.map((name) => `${"ab".repeat(32)}  ${name}\n`).join(""));
      await Deno.writeTextFile(file, homebrewFormula("1.2.3", sums));
      const ruby = async (...args: string[]) => {
        const { code, stdout, stderr } = await new Deno.Command("ruby", { args: ["-w", ...args] })
          .output();
        const text = new TextDecoder();
        return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
      };
      assert.deepEqual(await ruby("-c", file), { code: 0, stdout: "Syntax OK\n", stderr: "" });
      const platforms = [["macos", "arm", "macos-arm64"], ["macos", "intel", "macos-x64"], [
        "linux",
        "arm",
        "linux-arm64",
      ], ["linux", "intel", "linux-x64"]] as const;
      for (const [os, cpu, platform] of platforms) {
        const url = `${RELEASE.replace(version, "1.2.3")}/otlp-histogram-${platform}\n`;
        assert.deepEqual(await ruby("-e", HOMEBREW, os, cpu, file), {
          code: 0,
          stdout: url,
          stderr: "",
        });
      }
    });
  },
});
