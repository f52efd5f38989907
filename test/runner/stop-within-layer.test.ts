import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { StoppedError } from "../../src/core/errors.ts";
import { type Reporter, silent } from "../../src/core/progress.ts";
import { quantizeFile } from "../../src/runner/quantize-file.ts";
import { train } from "../../src/runner/train.ts";
import { npy } from "../fixtures/npy.ts";
import { pathOf } from "../fixtures/onnx/files.ts";
import { sampleArray } from "../fixtures/ptq.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";

const folder = t.testdir();
const network = { file: pathOf("pytorch-cnn-legacy") };
// Hours, if nobody could end them.
const iterations = 1e6;

/** Stops as soon as a layer is under way, and keeps what was shown. */
function stopping(label: string) {
  const shown: { readonly done: number; readonly detail: string | undefined }[] = [];
  const controller = new AbortController();
  let running = "";
  const reporter: Reporter = {
    ...silent,
    progress: {
      ...silent.progress,
      start(label) {
        running = label;
      },
      update(done, detail) {
        // Whole layers are between two.
        if (running !== label || Number.isInteger(done)) return;
        shown.push({ done, detail });
        controller.abort("SIGINT");
      },
    },
  };
  return { shown, reporter, stop: controller.signal };
}

/** One update, within the first layer. */
function hasBegun(t: Test, shown: ReturnType<typeof stopping>["shown"]): void {
  const [{ done, detail } = { done: -1 }, ...others] = shown;
  t.strictSame(others, []);
  t.ok(done > 0 && done < 1, `${done} layers`);
  t.match(detail, /features/);
}

t.test("AdaRound of a run's first layer is ended on the way, and told of", async (t) => {
  const { shown, reporter, stop } = stopping("quantizing");
  const run = join(folder, "run");
  const settings = {
    name: "stopped",
    data: { name: "mnist", folder: writeSmallMnist(join(folder, "data"), { train: 40, test: 20 }) },
    network,
    method: { name: "adaround", iterations, calibration: { images: 8, positions: 4 } },
    export: { latency: false },
  } as const;
  await t.rejects(train(settings, { folder: run, reporter, stop }), StoppedError);
  hasBegun(t, shown);
  t.ok(existsSync(join(run, "record.json")), "it can go on");
});

t.test("so is that of a file", async (t) => {
  const { shown, reporter, stop } = stopping("solving layers");
  const images = sampleArray("images", [12, 1, 28, 28]).data as Float32Array;
  const samples = join(folder, "samples.npy");
  writeFileSync(samples, npy("<f4", [12, 1, 28, 28], new Uint8Array(images.buffer)));
  const method = { name: "adaround", iterations } as const;
  const settings = { network, method, bits: { weights: 4 }, data: { samples } } as const;
  await t.rejects(quantizeFile(settings, { folder: join(folder, "file"), reporter, stop }), StoppedError);
  hasBegun(t, shown);
});
