import { join } from "node:path";
import t from "tap";
import { timeText } from "../../src/core/time-text.ts";
import { pathOf } from "../fixtures/onnx/files.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";
import { onTerminal, terminalMissing } from "../fixtures/terminal.ts";

const folder = t.testdir();
const data = writeSmallMnist(join(folder, "data"), { train: 200, test: 100 });
const train = (out: string, ...more: string[]) => [
  ...["train", "configs/mnist-lenet5-quick.yaml", "--out", join(folder, out)],
  ...["--set", `data.folder=${data}`, "--set", `network.file=${pathOf("keras-cnn")}`],
  ...["--set", "data.batchSize=4", "--set", "export.latency=false"],
  ...more,
];

/** A bar, in whole or in parts. */
const hasBar = (line: string) => /[█░▒▓]|\d % \|/.test(line);
const isLog = (line: string) => /^\[\d\d:\d\d:\d\d\] /.test(line);

for (const columns of [40, 80, 120]) {
  t.test(`on ${columns} columns`, { skip: terminalMissing() }, async (t) => {
    const { lines, moments, code } = await onTerminal(train(`run-${columns}`, "--set", "training.epochs=2"), columns);
    t.equal(code, 0, lines.join("\n"));
    t.ok(
      moments.some((shown) => hasBar(shown.at(-1) ?? "")),
      "a bar was shown",
    );
    const mixed = moments.flatMap((shown) => shown.slice(0, -1).filter(hasBar));
    t.strictSame(mixed, [], "nothing stands beside a bar, and only the last line has one");
    t.notOk(lines.some(hasBar), "nothing is left of it");
    const told = lines.filter(isLog);
    t.ok(
      told.some((line) => /epoch 2\/2: loss .*relative BOPs/.test(line)),
      "log lines are whole, and wrap",
    );
    t.ok(
      lines.some((line) => /^ {2}parameters \d+ of 6586 left$/.test(line)),
      "so is the summary",
    );
    for (const shown of moments) {
      const last = shown.at(-1) ?? "";
      if (hasBar(last)) t.ok(last.length < columns, `${last.length} of ${columns} columns: ${last}`);
    }
  });
}

t.test("Ctrl-C is answered in a line of its own", { skip: terminalMissing() }, async (t) => {
  let pressed = false;
  const { lines, code } = await onTerminal(train("stopped", "--set", "training.epochs=500"), 100, (shown, press) => {
    if (!pressed && shown.some((line) => line.includes("epoch 2/500"))) press("\u0003");
    pressed ||= shown.some((line) => line.includes("epoch 2/500"));
  });
  t.equal(code, 130, lines.join("\n"));
  // The terminal itself shows the key.
  t.ok(
    lines.some((line) => /^(\^C)?SIGINT: stopping after this step/.test(line)),
    lines.slice(-4).join("\n"),
  );
  t.match(lines.at(-1), /^error: stopped by SIGINT after saving: continue with --resume/);
  t.notOk(lines.some(hasBar), lines.join("\n"));
});

t.test("time left", async (t) => {
  t.strictSame([0.2, 59, 59.9, 60, 119.6, 3599.5, 3600, 7199, 7261].map(timeText), [
    "1s",
    "59s",
    "1m00s",
    "1m00s",
    "2m00s",
    "1h00m",
    "1h00m",
    "2h00m",
    "2h02m",
  ]);
});
