// The program while garbage is collected all the time: run it with --v8-flags=--expose-gc.
const { gc } = globalThis as { gc?: () => void };
if (gc === undefined) throw new Error("run it with --v8-flags=--expose-gc");
setInterval(gc, 20);
await import("../../main.ts");
