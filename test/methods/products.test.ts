import t from "tap";
import { configSchema } from "../../src/config/schema.ts";
import { lookup } from "../../src/core/lookup.ts";
import { account } from "../../src/methods/bit-accounting.ts";
import { budgetOf } from "../../src/methods/budget.ts";
import { createMethod } from "../../src/methods/create-method.ts";
import { layersOf } from "../../src/network/layers.ts";
import { productsOf } from "../../src/network/products.ts";
import { setBits } from "../../src/quantizers/level-gates.ts";
import { layerRows } from "../../src/report/run/sections/layer-table-rows.ts";
import { accountResult, describeNetwork, describeQuantizers } from "../../src/training/record-entries.ts";
import { narrowNetworks } from "../fixtures/random-models.ts";
import { sampleRecord } from "../fixtures/sample-record.ts";

// An attention of two heads of 4 units over 6 rows.
const [heads, rows, units] = [2, 6, 4];
const each = heads * rows * rows * units;
const { method: settings } = configSchema.parse({
  ...{ name: "x", data: { name: "mnist" }, network: { name: "lenet5" }, training: { epochs: 1 } },
  method: { name: "bayesian-bits" },
});
const method = createMethod(settings, 1);
const network = method.prepare(narrowNetworks.attention!());
const quantizersAt = (left: 2 | 8, right: 4) => {
  const quantizers = method.quantizers(network);
  for (const quantizer of quantizers.values()) setBits(quantizer, 8);
  for (const { quantizers: sides } of productsOf(network)) {
    setBits(lookup(quantizers, sides[0]!), left);
    setBits(lookup(quantizers, sides[1]!), right);
  }
  return quantizers;
};

t.test("products of activations count by the bits of both", async (t) => {
  const { products, layers, macs, relativeBops } = account(network, quantizersAt(2, 4));
  t.strictSame(
    products.map(({ product, bits, bops }) => [product.name, product.macs, bits, bops]),
    [
      // Queries and keys are slices of one tensor.
      ["scores", each, [4, 4], each * 4 * 4],
      ["mixed", each, [2, 4], each * 2 * 4],
    ],
  );
  const ofLayers = layers.reduce((sum, { cost }) => sum + cost.macs, 0);
  t.strictSame(macs, { kept: ofLayers + 2 * each, of: ofLayers + 2 * each });
  const bops = [...layers, ...products].reduce((sum, one) => sum + one.bops, 0);
  t.ok(Math.abs(relativeBops - (100 * bops) / (1024 * macs.of)) < 1e-12);
});

t.test("budgets and priors know of them", async (t) => {
  const budget = budgetOf(network, { relativeBops: 1 });
  const [cheap, dear] = [quantizersAt(2, 4), quantizersAt(8, 4)];
  t.ok(budget.expected(cheap) < budget.expected(dear));
  const largest = Math.max(each, ...layersOf(network).map(({ macs }) => macs));
  const [, mixed] = productsOf(network);
  t.equal(lookup(cheap, mixed!.quantizers[0]!).prior.macShare, each / largest, "shares are read by a product alone");
});

t.test("a plain network's have no quantizers, and 32 bits", async (t) => {
  const plain = narrowNetworks.attention!();
  t.strictSame(
    account(plain, new Map()).products.map(({ bits, bops }) => [bits, bops]),
    Array(2).fill([[32, 32], 1024 * each]),
  );
});

t.test("the record and its report's table have them", async (t) => {
  const quantizers = quantizersAt(2, 4);
  const record = {
    ...sampleRecord(),
    network: { ...describeNetwork(network), file: null },
    quantizers: describeQuantizers(network, quantizers),
    result: { ...sampleRecord().result!, ...accountResult(network, quantizers) },
  };
  const found = layerRows(record).filter(({ product }) => product !== null);
  t.strictSame(
    found.map(({ name, product, output }) => [name, product?.result?.bops, output?.id]),
    [
      ["scores", 16 * each, undefined],
      ["mixed", 8 * each, "mixed.quantizer"],
    ],
  );
  const shares = [...record.result.layers, ...record.result.products!].reduce((sum, { share }) => sum + share, 0);
  t.ok(Math.abs(shares - 100) < 1e-9);
});
