import assert from "node:assert/strict";
import { assertWhole, type Log, type Rotate, runLane } from "../support/followed_lane.ts";
import { gzipInPlace } from "../support/following.ts";

/** Directives of logrotate, with which one log each is rotated. */
const MODES: readonly (readonly string[])[] = [
  ["create"],
  ["create", "compress"],
  ["create", "compress", "delaycompress"],
  ["nocreate"],
  ["nocreate", "compress"],
  ["copytruncate"],
  ["copytruncate", "compress"],
  ["copytruncate", "compress", "delaycompress"],
  ["create", "dateext", "dateformat -%Y%m%d-%s"],
  ["create", "dateext", "dateformat -%Y%m%d-%s", "compress"],
  ["copytruncate", "dateext", "dateformat -%Y%m%d-%s", "compress"],
  ["create", "olddir old"],
  ["create", "olddir old", "compress"],
  ["copytruncate", "olddir old"],
  ["copytruncate", "olddir old", "compress"],
  ["create", "extension .log"],
  ["copytruncate", "extension .log", "compress"],
];
const KILLS = 12;

const hasLogrotate = await new Deno.Command("logrotate", { args: ["--version"] }).output()
  .then(({ success }) => success, () => false);

/** Runs a command, which must succeed. */
async function run(command: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args: [...args] }).output();
  const problem = new TextDecoder().decode(stderr);
  // Two rotations in one second would get the same name.
  assert.ok(success || /already exists, skipping rotation\s*$/.test(problem), problem);
}

function logrotate(mode: readonly string[]) {
  return async (cwd: string) => {
    await Deno.mkdir(`${cwd}/logs/old`, { recursive: true });
    await Deno.chmod(`${cwd}/logs`, 0o755);
    const path = `${cwd}/logs/app.log`;
    const directives = ["rotate 1000", "missingok", ...mode].map((line) => `  ${line}\n`).join("");
    await Deno.writeTextFile(`${cwd}/conf`, `${path} {\n${directives}}\n`);
    const once = () => run("logrotate", ["-f", "-s", `${cwd}/state`, `${cwd}/conf`]);
    const rotate: Rotate = async (log) => {
      await once();
      if (log.random() > 0.3) return;
      // A second rotation before anybody has looked.
      log.rotations++;
      await log.write(2);
      await once();
    };
    return { path, followed: "logs/app.log", rotate };
  };
}

/** Renames, then compresses all rotated files but the newest, as the kubelet does with the logs of CRI. */
async function kubelet(cwd: string) {
  await Deno.mkdir(`${cwd}/pods/default_web_1/app`, { recursive: true });
  await Deno.mkdir(`${cwd}/containers`);
  const folder = `${cwd}/pods/default_web_1/app`;
  await Deno.symlink("../pods/default_web_1/app/0.log", `${cwd}/containers/web.log`);
  const rotate = async ({ path, rotations }: Log) => {
    const rotated: string[] = [];
    for await (const { name } of Deno.readDir(folder)) {
      if (/^0\.log\.\d+-\d+$/.test(name)) rotated.push(`${folder}/${name}`);
    }
    for (const older of rotated.sort().slice(0, -1)) await gzipInPlace(older);
    await Deno.rename(path, `${path}.20260101-${String(rotations).padStart(6, "0")}`);
    await Deno.writeTextFile(path, "");
  };
  return { path: `${folder}/0.log`, followed: "containers/web.log", rotate };
}

/** Shifts the numbers and compresses what it rotates, as docker's json-file driver does, behind two symbolic links. */
async function docker(cwd: string) {
  await Deno.mkdir(`${cwd}/docker/4f`, { recursive: true });
  await Deno.mkdir(`${cwd}/pods`);
  await Deno.symlink("../docker/4f/4f-json.log", `${cwd}/pods/0.log`);
  await Deno.symlink("pods/0.log", `${cwd}/web.log`);
  const rotate = async ({ path, rotations }: Log) => {
    for (let n = rotations; n > 0; n--) {
      await Deno.rename(`${path}.${n}.gz`, `${path}.${n + 1}.gz`).catch((thrown) => {
        if (!(thrown instanceof Deno.errors.NotFound)) throw thrown;
      });
    }
    await Deno.rename(path, `${path}.1`);
    await Deno.writeTextFile(path, "");
    await gzipInPlace(`${path}.1`);
  };
  return { path: `${cwd}/docker/4f/4f-json.log`, followed: "web.log", rotate };
}

Deno.test({
  name: "send --follow --spool reads every line once across logrotate in all its modes, and kills" +
    (hasLogrotate ? "" : " (logrotate is not installed)"),
  ignore: !hasLogrotate,
  async fn() {
    assert.ok(MODES.length > 0);
    for (const [i, mode] of MODES.entries()) {
      console.log(mode.join(" "));
      assertWhole(
        [await runLane({ kills: KILLS, seed: 2100 + i, layOut: logrotate(mode) })],
        KILLS,
      );
    }
  },
});

Deno.test("send --follow --spool reads every line once in the layouts of Kubernetes, and kills", async () => {
  for (const layOut of [kubelet, docker]) {
    console.log(layOut.name);
    assertWhole([await runLane({ kills: KILLS * 2, seed: 2200, layOut })], KILLS * 2);
  }
});
