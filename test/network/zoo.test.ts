import t from "tap";
import { elementsOf } from "../../src/graph/shape.ts";
import type { Network } from "../../src/kinds/index.ts";
import { layersOf } from "../../src/network/layers.ts";
import { loadNetwork } from "../../src/network/load-network.ts";
import { productsOf } from "../../src/network/products.ts";
import { createNetwork, type NetworkName } from "../../src/network/zoo/index.ts";
import { cifarResNet } from "../../src/network/zoo/resnet-cifar.ts";
import { textEncoder } from "../../src/network/zoo/text-encoder.ts";
import { unet } from "../../src/network/zoo/unet.ts";
import { vitTiny } from "../../src/network/zoo/vit-tiny.ts";

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

// Published: He et al. 2016 (ResNet-20 0.27 M, ResNet-32 0.46 M, ResNet-56 0.85 M parameters), PyTorch's model pages
// (ResNet-18 11.69 M and 1.81 GMACs, MobileNetV2 3.50 M and 0.30 GMACs, MobileNetV3-Small 2,542,856 and 0.06 GMACs: 56.5
// million by fvcore, EfficientNet-B0 5,288,548 and 0.39 GMACs: 385.9 million); LeNet-5 as the authors' MNIST network.
// MLPerf Tiny's Keras models have 78,666, 24,908, 221,794 and 269,992 with the running statistics and the biases before
// normalizations, and 12.5, 2.7, 7.5 and 0.264 million.
const published: readonly (readonly [NetworkName, readonly [number, number, number], number, number, number])[] = [
  ["lenet5", [28, 28, 1], 10, 582_026, 4.27e6],
  ["resnet20", [32, 32, 3], 10, 269_722, 40.6e6],
  ["resnet32", [32, 32, 3], 10, 464_154, 68.9e6],
  ["resnet56", [32, 32, 3], 10, 853_018, 125.5e6],
  ["resnet18", [224, 224, 3], 1000, 11_689_512, 1.814e9],
  ["mobilenetv2", [224, 224, 3], 1000, 3_504_872, 0.3008e9],
  ["mobilenetv3-small", [224, 224, 3], 1000, 2_542_856, 56.5e6],
  ["efficientnet-b0", [224, 224, 3], 1000, 5_288_548, 385.9e6],
  ["resnet8", [32, 32, 3], 10, 78_666 - 720, 12.5e6],
  ["ds-cnn", [49, 10, 1], 12, 24_908 - 1728, 2.66e6],
  ["mobilenetv1-0.25", [96, 96, 3], 2, 221_794 - 3 * 2736, 7.49e6],
  ["autoencoder", [1, 640, 1], 640, 269_992 - 3 * 1032, 264_192],
];
const trainedOf = ({ nodes }: Network): readonly number[] =>
  nodes.flatMap((node) => (node.kind === "parameter" && node.role !== "constant" ? [elementsOf(node.shape)] : []));

const macsOf = (network: Network): number =>
  sum([...layersOf(network), ...productsOf(network)].map(({ macs }) => macs));

for (const [name, inputShape, classes, parameters, macs] of published) {
  t.test(`${name} has the published parameters and multiply-accumulates`, async (t) => {
    const network = createNetwork(name, { inputShape, classes });
    t.equal(sum(trainedOf(network)), parameters);
    const layers = layersOf(network);
    // Folded, a batch normalization's scale is gone.
    const scales = network.nodes.flatMap((node) =>
      node.kind === "parameter" && node.role === "scale" ? [elementsOf(node.shape)] : [],
    );
    t.equal(sum(layers.map((layer) => layer.parameters)), parameters - sum(scales));
    t.ok(Math.abs(macsOf(network) / macs - 1) < 0.002);
  });
}

// Width 64: Pytorch-UNet (Milesi), whose 54.7 GMACs by thop count each pixel of a transposed convolution of 2 × 2 as if four
// windows reached it. Width 32: PyTorch Hub's network for brains.
t.test("U-Net has the published parameters and multiply-accumulates, by either upsampling", async (t) => {
  const data = { inputShape: [256, 256, 3], classes: 1, depth: 4 } as const;
  for (const [width, parameters] of [
    [64, 31_037_633],
    [32, 7_763_041],
  ] as const) {
    t.equal(sum(trainedOf(unet({ ...data, width, upsampling: "transposed" }))), parameters);
    t.equal(sum(trainedOf(unet({ ...data, width, upsampling: "nearest" }))), parameters);
  }
  const network = unet({ ...data, width: 64, upsampling: "transposed" });
  const transposed = layersOf(network).filter(({ kind }) => kind === "conv-transpose");
  t.ok(Math.abs((macsOf(network) + 3 * sum(transposed.map(({ macs }) => macs))) / 54.7e9 - 1) < 0.005);
});

// DeiT-Ti's, whose class token is here a part of its place; fvcore counts layer normalizations, too: 4.7 million.
t.test("ViT-Ti has the published parameters and multiply-accumulates", async (t) => {
  const network = vitTiny({ inputShape: [224, 224, 3], classes: 1000, patch: 16, depth: 12 });
  t.equal(sum(trainedOf(network)), 5_717_416 - 192);
  t.ok(Math.abs((macsOf(network) + 4.7e6) / 1.258e9 - 1) < 0.002);
  // Two products of 197 × 197 × 192 in each block.
  t.equal(sum(productsOf(network).map(({ macs }) => macs)), 12 * 2 * 197 * 197 * 192);
});

t.test("the text encoder has BERT-Tiny's parameters, without types of tokens and pooler", async (t) => {
  const shape = { width: 128, heads: 2, depth: 2 };
  const network = textEncoder({ length: 512, vocabulary: 30_522, classes: 2, ...shape });
  t.equal(sum(trainedOf(network)), 4_385_920 - 2 * 128 - 129 * 128 + 129 * 2);
  // 12 · width² for each token, and two products with all others, in each block.
  t.equal(macsOf(network), 2 * 512 * (12 * 128 * 128 + 2 * 512 * 128) + 2 * 128);
});

t.test("what does not fit a network's options is refused", async (t) => {
  const [unet, vit] = [
    { name: "unet", width: 4, depth: 3, upsampling: "nearest" },
    { name: "vit-tiny", patch: 5, depth: 1 },
  ] as const;
  const data = { inputShape: [28, 28, 1], classes: 2 } as const;
  t.throws(() => loadNetwork(unet, data), {
    name: "UsageError",
    message: /^network.depth: unet halves images 3 times, and 28×28 pixels cannot be: .* multiples of 8/,
  });
  t.throws(() => loadNetwork(vit, data), {
    name: "UsageError",
    message: /^network.patch: patches of 5×5 do not fill images of 28×28/,
  });
  const text = { length: 4, vocabulary: 5, classes: 2 };
  const heads = { name: "text-encoder", width: 8, heads: 3, depth: 1 } as const;
  t.throws(() => loadNetwork(heads, text), { name: "UsageError", message: /^network.heads: 3 heads do not divide 8/ });
  t.throws(() => loadNetwork(heads, data), { name: "UsageError", message: /text-encoder takes texts/ });
  t.throws(() => loadNetwork(vit, text), { name: "UsageError", message: /take text-classifier or text-encoder/ });
});

t.test("images too small for a network are refused", async (t) => {
  const data = { inputShape: [8, 8, 3], classes: 4 } as const;
  t.throws(() => loadNetwork({ name: "lenet5" }, data), {
    name: "UsageError",
    message: /lenet5 does not take images of 8×8×3 \(conv2: .*smaller than its window\)/,
  });
  t.doesNotThrow(() => loadNetwork({ name: "resnet20" }, data));
});

t.test("VGG-7 has the paper's layers", async (t) => {
  const layers = layersOf(createNetwork("vgg7", { inputShape: [32, 32, 3], classes: 10 }));
  t.strictSame(
    layers.map(({ weightShape }) => weightShape.at(-1)),
    [128, 128, 256, 256, 512, 512, 1024, 10],
  );
  t.equal(layers[6]!.weightShape[0], 4 * 4 * 512);
});

t.test("shortcuts of type B convolve where a block changes its shape", async (t) => {
  const options = { inputShape: [32, 32, 3], classes: 10 } as const;
  const layers = layersOf(cifarResNet("resnet20", 20, { ...options, shortcut: "B" }));
  t.equal(layers.length, 22);
  t.strictSame(
    layers.filter(({ name }) => name.endsWith("shortcut")).map(({ weightShape }) => weightShape),
    [
      [1, 1, 16, 32],
      [1, 1, 32, 64],
    ],
  );
});
