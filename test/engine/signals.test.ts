import { spawn } from "node:child_process";
import { once } from "node:events";
import t from "tap";
import { nativeMissing } from "../fixtures/engines.ts";
import { ownProcess } from "../fixtures/own-process.ts";

t.test("signals in the middle of kernels are heard and harm nothing", { skip: nativeMissing() }, async (t) => {
  const { script, execArgv } = ownProcess("test/fixtures/signalled-training.ts");
  const child = spawn(process.execPath, [...execArgv, script], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
    // As fast as they can be sent: few of them meet a kernel at the wrong moment.
    if (output === "training\n") storm();
  });
  const storm = () => {
    for (let count = 0; count < 4; count++) child.kill("SIGUSR2");
    if (child.exitCode === null && child.signalCode === null) setImmediate(storm);
  };
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  t.equal(signal, null, "it was not killed by a corrupted heap");
  t.equal(code, 0);
  t.match(output, /^training\nheard [1-9]/);
});
