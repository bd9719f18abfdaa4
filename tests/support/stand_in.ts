// Stands in for the program where the support library itself is tested: says what it was given.

const [what = "", ...rest] = Deno.args;
switch (what) {
  case "show":
    console.log(JSON.stringify({
      args: rest,
      env: Object.keys(Deno.env.toObject()).sort(),
      files: [...Deno.readDirSync(".")].map(({ name }) => name).sort(),
      dotenv: await Deno.readTextFile(".env").catch(() => null),
      stdin: await new Response(Deno.stdin.readable).text(),
    }));
    console.error("shown");
    Deno.exit(3);
    break;
  case "wait":
    Deno.addSignalListener("SIGTERM", () => {
      console.log("terminated");
      Deno.exit(5);
    });
    console.log("ready");
    setInterval(() => {}, 60_000);
    break;
  case "copy":
    for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
      console.log(`got ${text}`);
    }
    break;
}
