import t from "tap";
import { verifyImport } from "../../../src/export/verify-import.ts";
import { importNetwork } from "../../../src/network/onnx/import-network.ts";
import { readModel } from "../../../src/onnx/onnx-model.ts";
import { anyEngine } from "../../fixtures/engines.ts";
import { type TextFileOptions, textFile } from "../../fixtures/onnx/text-file.ts";

const { ops } = await anyEngine();
const [FLOAT, BOOL, INT64] = [1, 9, 7];
const sizes = { length: 6, vocabulary: 11, units: 4 };
const path = "texts.onnx";

function imported(options: Partial<TextFileOptions> = {}, data: { length?: number; vocabulary?: number } = {}) {
  const bytes = textFile({ ...sizes, ...options });
  const texts = { length: sizes.length, vocabulary: sizes.vocabulary, ...data, classes: sizes.units };
  const network = importNetwork(readModel(bytes, path), { file: path, name: "texts", ...texts });
  return { ...network, path, bytes, inputShape: [sizes.length], classes: sizes.units };
}

t.test("what a text encoder takes beside tokens is made of them, as onnxruntime has it", async (t) => {
  for (const mask of [INT64, BOOL, FLOAT]) {
    const network = imported({ mask });
    const inputs = network.network.nodes.filter(({ kind }) => kind === "input");
    t.strictSame(
      inputs.map((node) => node.kind === "input" && [node.dtype, node.shape]),
      [["int32", [6]]],
    );
    await t.resolves(verifyImport(network, ops), `a mask of type ${mask}`);
  }
});

t.test("what is made of a mask, taken over wrongly, is noticed", async (t) => {
  const { network, ...rest } = imported();
  const nodes = network.nodes.map((node) =>
    node.kind !== "affine" || node.shaped !== true
      ? node
      : { ...node, inputs: [node.inputs[0], node.inputs[2], node.inputs[1]] as const },
  );
  await t.rejects(
    verifyImport({ ...rest, network: { ...network, nodes } }, ops),
    /on random samples it gives other logits/,
  );
});

t.test("inputs that are no text encoder's are refused with what they are taken for", (t) => {
  const refused = (message: RegExp, ...what: Parameters<typeof imported>) =>
    t.throws(() => imported(...what), { message });
  refused(/of its inputs \("mask_of", .*\) 0 may be the tokens, expected one/, { tokens: "mask_of" });
  refused(/its input "attention_mask" is uint8, expected int32 or int64 or bool or float32: .* the mask of texts/, {
    mask: 2,
  });
  refused(/its input "input_ids" is \[batch, 6\], the data's texts are of 8 tokens/, {}, { length: 8 });
  refused(/has 11 rows, and the data's tokens go up to 11: /, {}, { vocabulary: 12 });
  t.end();
});
