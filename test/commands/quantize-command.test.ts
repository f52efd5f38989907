import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { createProgram } from "../../src/commands/program.ts";
import { UsageError } from "../../src/core/errors.ts";
import { quietContext } from "../fixtures/context.ts";
import { npy, npz } from "../fixtures/npy.ts";
import { bytesOf } from "../fixtures/onnx/files.ts";
import { sampleArray } from "../fixtures/ptq.ts";

const folder = t.testdir();
const model = join(folder, "cnn.onnx");
writeFileSync(model, bytesOf("pytorch-cnn-legacy"));
const samples = join(folder, "samples.npz");
const images = sampleArray("images", [40, 1, 28, 28]).data.buffer;
writeFileSync(samples, npz({ images: npy("<f4", [40, 1, 28, 28], new Uint8Array(images)) }));

/** The command line, in this process. */
const quantize = (...args: readonly string[]) =>
  createProgram("0.0.0", quietContext).parseAsync(["node", "bayesian-bits", "quantize", ...args]);

const refusals: Readonly<Record<string, readonly [args: readonly string[], message: RegExp]>> = {
  "a width that there is not": [["--weights", "5"], /--weights 5: expected 2, 3, 4, 8/],
  "a method that learns, without data": [
    ["--method", "bit-split"],
    /the method bit-split needs samples: give some with --data/,
  ],
  "iterations of a method without": [
    ["--method", "nearest", "--iterations", "5"],
    /iterations are optimizer steps of the method adaround, and nearest takes none/,
  ],
  "a layer's width that there is not": [["--layer-bits", "conv*=5"], /--layer-bits conv\*=5: expected 2, 3, 4, 8/],
  "a granularity that there is not": [
    ["--granularity", "block:3"],
    /--granularity block:3: expected tensor, channel, block:32/,
  ],
  "a granularity of widths that there is not": [
    ["--budget", "25%", "--width-granularity", "group:0"],
    /--width-granularity group:0: expected tensor, channel, or a number of neighbouring .* as group:8/,
  ],
  "widths by channel without a budget": [
    ["--width-granularity", "channel"],
    /--width-granularity channel: a budget chooses .*: give one with --budget/,
  ],
  "widths by channel, and one step": [
    ["--budget", "25%", "--width-granularity", "channel", "--granularity", "tensor"],
    /expected channel: bits\.granularity gives output channels bit-widths of their own.*\(--granularity\)/,
  ],
  "blocks that a method cannot solve": [
    ["--data", samples, "--method", "bit-split", "--granularity", "block:32"],
    /the method bit-split has a step for each output channel/,
  ],
  "thresholds without data": [["--min-sqnr", "20"], /thresholds are held against samples/],
  "a threshold that is no number": [["--min-sqnr", "high"], /--min-sqnr high: expected a number/],
  "a budget beside a width": [["--weights", "4", "--budget", "25%"], /--weights and --budget: expected one of them/],
  "a budget that is none": [["--budget", "much"], /--budget much: expected percent/],
  "a budget of bit operations without data": [
    ["--budget", "bops:3%"],
    /relativeBops: expected a budget of bytes or bits: .*: give some with --data.*\(--budget\)/,
  ],
  "a budget of too few bit operations": [
    ["--data", samples, "--method", "nearest", "--budget", "bops:1%"],
    /--budget bops:1%: the network takes at least 1\.57 % of the bit operations at 32 bits everywhere/,
  ],
  "a width without a name": [["--weights", "3", "--layout", "transformers.js"], /no name for weights of 3 bits/],
  "a layout that names widths, with a budget": [
    ["--budget", "avg:4", "--layout", "transformers.js"],
    /names files by the bits of their weights, and a budget mixes them/,
  ],
  "an agreement beyond all": [
    ["--data", samples, "--min-agreement", "120"],
    /--min-agreement 120: expected percent, from 0 to 100/,
  ],
  "data of no kind": [
    ["--data", "nothing"],
    /--data nothing: there is no such file or folder: expected a \.npz or \.npy file, a folder of images, or/,
  ],
  "a setting that there is not": [
    ["--set", "bits.wieghts=4"],
    /bits\.wieghts: is not a setting; known here: .*weights.*\(--set bits\.wieghts=4\)/,
  ],
};
for (const [what, [args, message]] of Object.entries(refusals)) {
  t.test(`${what} is refused, and nothing is left`, async (t) => {
    const out = join(t.testdir(), "refused");
    const error = await quantize(model, ...args, "--out", out).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    t.ok(error instanceof UsageError, String(error));
    t.match(error, { message });
    t.notOk(existsSync(join(out, "model.onnx")));
  });
}

t.test("a file that is not there is said to be so", async (t) => {
  await t.rejects(quantize("nofile.onnx", "--out", join(t.testdir(), "never")), {
    name: "UserError",
    message: /^cannot read nofile\.onnx: there is no such file, seen from .*; give the path of an ONNX file$/,
  });
});

t.test("a folder that cannot be made is no defect of the program: another one is asked for", async (t) => {
  const file = join(t.testdir({ file: "" }), "file");
  for (const out of [file, join(file, "below")]) {
    await t.rejects(quantize(model, "--out", out), {
      name: "UserError",
      message: /^cannot create the folder .*file.*: E\w+: .*; choose another with --out$/,
    });
  }
});
