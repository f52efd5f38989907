import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { runInit } from "../../src/commands/init-command.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { UsageError, UserError } from "../../src/core/errors.ts";
import { quietContext } from "../fixtures/context.ts";
import { nativeMissing } from "../fixtures/engines.ts";
import { writeImageFolder } from "../fixtures/image-folder.ts";
import { npyImages, npyLabels, npz } from "../fixtures/npy.ts";
import { pathOf } from "../fixtures/onnx/files.ts";
import { encodePlain, node } from "../fixtures/onnx/plain-model.ts";

const root = t.testdir();
const pictures = await writeImageFolder(join(root, "pictures"), { parts: { "": 4 }, classes: 2, side: 16 });

/** What `init` prints, as machines read it. */
async function init(
  options: { readonly model?: string; readonly data?: string; readonly force?: boolean },
  name: string,
) {
  const printed: string[] = [];
  const out = join(root, name);
  const context = { ...quietContext(), json: true, print: (text: string) => void printed.push(text) };
  await runInit({ force: false, out, ...options }, context);
  return { out, ...JSON.parse(printed.join("")) };
}

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error: unknown) => error,
  );

t.test("what training cannot take over is named, with the command that takes it", async (t) => {
  const model = join(root, "other.onnx");
  const bytes = encodePlain({
    opset: 17,
    nodes: [node("Erf", ["images"], "erf"), node("Flatten", ["erf"], "logits")],
    inputs: [{ name: "images", shape: ["batch", 3, 16, 16] }],
    outputs: [{ name: "logits", shape: ["batch", 768] }],
  });
  writeFileSync(model, bytes);
  const error = await failure(init({ model, data: pictures }, "other.yaml"));
  t.type(error, UserError);
  const { message } = error as UserError;
  t.match(message, /a node is not supported.*\n {2}Erf "erf": the operator is not known/);
  t.ok(
    message.endsWith(
      `quantizing without training takes any ONNX file:\n  bayesian-bits quantize ${model} --data ${pictures}`,
    ),
  );
  t.notOk(existsSync(join(root, "other.yaml")));
});

t.test("a file without images is asked for them; other classes are refused", async (t) => {
  const alone = await failure(init({ model: pathOf("keras-cnn") }, "alone.yaml"));
  t.type(alone, UsageError);
  t.match((alone as Error).message, /say with --data which images it is for/);
  const other = await failure(init({ model: pathOf("pytorch-resnet-legacy"), data: pictures }, "classes.yaml"));
  t.match(
    (other as Error).message,
    /it gives 10 values for each image, the data set needs 2.*\n.*\n {2}bayesian-bits quantize/,
  );
});

t.test("images alone get a network; --force replaces, and nothing else does", { skip: nativeMissing() }, async (t) => {
  const images = npyImages([40, 20, 20, 1]);
  const data = join(root, "digits.npz");
  writeFileSync(
    data,
    npz({ train_images: images, train_labels: npyLabels(40), test_images: images, test_labels: npyLabels(40) }),
  );
  writeFileSync(join(root, "digits.yaml"), "mine");
  const refused = await failure(init({ data }, "digits.yaml"));
  t.match((refused as Error).message, /digits\.yaml is there already/);
  t.equal(readFileSync(join(root, "digits.yaml"), "utf8"), "mine");

  const { out, next, settings, network, plan, timing } = await init({ data, force: true }, "digits.yaml");
  t.equal(next, `bayesian-bits train ${out}`);
  t.match(network, { source: { name: "lenet5" }, inputShape: [20, 20, 1], outputs: 3, operators: null });
  t.match(settings, {
    name: "digits",
    data: { name: "npz", batchSize: 8 },
    training: { pretrain: { epochs: plan.pretrainEpochs } },
  });
  t.ok(timing.step > 0 && plan.seconds > 0);
  const { config } = loadConfig(out);
  t.match(config, { name: "digits", network: { name: "lenet5" }, method: { prior: { target: { relativeBops: 3 } } } });
});
