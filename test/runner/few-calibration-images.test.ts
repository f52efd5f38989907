import { join } from "node:path";
import t from "tap";
import { train } from "../../src/runner/train.ts";
import { pathOf } from "../fixtures/onnx/files.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";

const root = t.testdir();
const folder = writeSmallMnist(join(root, "data"), { train: 40, test: 20 });

t.test("where there are fewer images than a method takes, it takes all, and says so", async (t) => {
  const shared = {
    data: { name: "mnist" as const, folder, batchSize: 8 },
    network: { file: pathOf("keras-cnn") },
    export: { latency: false as const },
  };
  const float = { ...shared, name: "float", method: { name: "fp32" as const }, training: { epochs: 1 } };
  await train(float, { folder: join(root, "float") });
  const { warnings, status } = await train(
    { ...shared, name: "rounded", method: { name: "nearest" as const }, training: { from: join(root, "float") } },
    { folder: join(root, "rounded") },
  );
  t.equal(status, "finished");
  t.ok(
    warnings.some(
      ({ message }) => message === "calibrated on all 40 training images: method.calibration.images is 512",
    ),
    JSON.stringify(warnings),
  );
});
