/** Text in pieces -> its lines, without their ends. */
export class TextLineStream extends TransformStream<string, string> {
  constructor() {
    let held = "";
    super({
      transform(piece, controller) {
        const lines = (held + piece).split("\n");
        held = lines.pop() ?? "";
        for (const line of lines) controller.enqueue(line);
      },
      flush(controller) {
        if (held !== "") controller.enqueue(held);
      },
    });
  }
}
