import t from "tap";
import { NetworkBuilder } from "../../src/network/builder.ts";
import { layersOf } from "../../src/network/layers.ts";
import { foldBatchNorm } from "../../src/quantizers/fold-batch-norm.ts";
import { insertQuantizers } from "../../src/quantizers/insert-quantizers.ts";

/** A convolution and its normalization; with `beside`, something else reads the convolution as it is. */
function network(beside: boolean) {
  const builder = new NetworkBuilder();
  const layer = builder.conv2d("conv", builder.input([4, 4, 2]), { kernel: 1, inputs: 2, outputs: 3, bias: false });
  const norm = builder.relu("relu", builder.batchNorm("norm", layer, { channels: 3 }));
  const joined = beside ? builder.add("sum", layer, norm) : norm;
  const next = builder.conv2d("next", joined, { kernel: 1, inputs: 3, outputs: 2 });
  return builder.build({ name: "fork", outputs: [builder.globalAveragePool("pool", next)] });
}

const kindOf = (nodes: ReturnType<typeof network>["nodes"]) => nodes.find(({ id }) => id === "norm")?.kind;

t.test("a normalization that alone reads a layer is folded into its weight", async (t) => {
  const folded = foldBatchNorm(network(false), "every-position");
  t.equal(kindOf(folded.nodes), "folded-norm");
  t.equal(layersOf(folded)[0]?.shift?.id, "norm");
});

t.test("one beside other readers of the layer stays what it is, and so does what they read", async (t) => {
  const plain = network(true);
  t.strictSame(foldBatchNorm(plain, "every-position"), plain);
  t.equal(layersOf(plain)[0]?.shift, null);
  const ids = insertQuantizers(plain).nodes.map(({ id }) => id);
  t.equal(new Set(ids).size, ids.length, "every quantizer has a name of its own");
});
