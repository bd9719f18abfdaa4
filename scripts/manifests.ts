import project from "../deno.json" with { type: "json" };

// The Homebrew formula and the Scoop manifest of a release, rendered from its SHA256SUMS.

const REPOSITORY = "https://github.com/ihudak/otlp_histogram";
const USAGE = "usage: deno run scripts/manifests.ts SHA256SUMS FOLDER";
const DESCRIPTION = "Send histogram metrics over OTLP and check that they arrive";

/** SHA-256 of each file of a release, in hexadecimal, by name. */
export type Sums = ReadonlyMap<string, string>;

/** Reads the output of sha256sum; throws for any other line. */
export function parseSums(text: string): Sums {
  return new Map(
    text.split("\n").filter((line) => line !== "").map((line) => {
      const [, sum, name] = /^([0-9a-f]{64}) [ *](.+)$/.exec(line) ?? [];
      if (sum === undefined || name === undefined) {
        throw new Error(`Invalid line in the sums: "${line}"`);
      }
      return [name, sum];
    }),
  );
}

function sumOf(sums: Sums, name: string): string {
  const sum = sums.get(name);
  if (sum === undefined) throw new Error(`The sums do not name ${name}`);
  return sum;
}

function urlOf(version: string, name: string): string {
  return `${REPOSITORY}/releases/download/v${version}/${name}`;
}

/** Renders `otlp-histogram.rb`. */
export function homebrewFormula(version: string, sums: Sums): string {
  const source = (name: string) =>
    `url "${urlOf(version, name)}"\n      sha256 "${sumOf(sums, name)}"`;
  const block = (cpu: "arm" | "intel", name: string) =>
    `    on_${cpu} do\n      ${source(name)}\n    end`;
  return `class OtlpHistogram < Formula
  desc "${DESCRIPTION}"
  homepage "${REPOSITORY}"
  version "${version}"
  license "${project.license}"

  on_macos do
${block("arm", "otlp-histogram-macos-arm64")}
${block("intel", "otlp-histogram-macos-x64")}
  end

  on_linux do
${block("arm", "otlp-histogram-linux-arm64")}
${block("intel", "otlp-histogram-linux-x64")}
  end

  resource "man-page" do
    url "${urlOf(version, "otlp-histogram.1")}"
    sha256 "${sumOf(sums, "otlp-histogram.1")}"
  end

  def install
    bin.install Dir["otlp-histogram-*"].first => "otlp-histogram"
    chmod 0755, bin/"otlp-histogram"
    generate_completions_from_executable(bin/"otlp-histogram", "completions", shells: [:bash, :zsh, :fish])
    resource("man-page").stage { man1.install "otlp-histogram.1" }
  end

  test do
    assert_equal version.to_s, shell_output("#{bin}/otlp-histogram --version").strip
  end
end
`;
}

/** Renders `otlp-histogram.json` for Scoop. */
export function scoopManifest(version: string, sums: Sums): string {
  const name = "otlp-histogram-windows-x64.exe";
  // Scoop keeps the file under the name after #.
  const named = (version: string) => `${urlOf(version, name)}#/otlp-histogram.exe`;
  const manifest = {
    version,
    description: DESCRIPTION,
    homepage: REPOSITORY,
    license: project.license,
    architecture: { "64bit": { url: named(version), hash: sumOf(sums, name) } },
    bin: "otlp-histogram.exe",
    checkver: { github: REPOSITORY },
    autoupdate: {
      architecture: { "64bit": { url: named("$version") } },
      hash: { url: "$baseurl/SHA256SUMS" },
    },
  };
  return `${JSON.stringify(manifest, null, 4)}\n`;
}

async function main(args: readonly string[]): Promise<void> {
  const [file, folder] = args;
  if (file === undefined || folder === undefined || args.length > 2) throw new Error(USAGE);
  const sums = parseSums(await Deno.readTextFile(file));
  await Deno.writeTextFile(`${folder}/otlp-histogram.rb`, homebrewFormula(project.version, sums));
  await Deno.writeTextFile(`${folder}/otlp-histogram.json`, scoopManifest(project.version, sums));
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (thrown) {
    console.error(`manifests: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    Deno.exitCode = 1;
  }
}
