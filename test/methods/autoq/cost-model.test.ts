import fc from "fast-check";
import t from "tap";
import { elementsOf } from "../../../src/graph/shape.ts";
import { costModel } from "../../../src/methods/autoq/cost-model.ts";
import { createSpace } from "../../../src/methods/autoq/create-space.ts";
import { decisionsOf, placesOf, policyOf, widthsAt } from "../../../src/methods/autoq/search-space.ts";
import { account } from "../../../src/methods/bit-accounting.ts";
import { layersOf } from "../../../src/network/layers.ts";
import { cifarResNet } from "../../../src/network/zoo/resnet-cifar.ts";
import { createQuantizers } from "../../../src/quantizers/create-quantizers.ts";
import { insertQuantizers } from "../../../src/quantizers/insert-quantizers.ts";
import { setBits } from "../../../src/quantizers/level-gates.ts";
import { random } from "../../fixtures/engines.ts";
import { expect, lawHolds } from "../../fixtures/laws.ts";

const network = insertQuantizers(
  cifarResNet("resnet20", 20, { inputShape: [8, 8, 3], classes: 10, shortcut: "B", widths: [4, 8, 16] }),
);
const layers = layersOf(network);
const weights = new Map(
  layers.map(({ name, weightShape, kind }) => {
    const outputs = weightShape.at(-1)!;
    const elements = elementsOf(weightShape);
    return [name, { values: random(1, `${name}/${kind}`, [elements]), outputs, inputs: elements / outputs }];
  }),
);
const options = { groups: 4, weightWidths: [0, 2, 4, 8], activationWidths: [2, 4, 8] };
const space = createSpace(network, weights, { ...options, level: "kernel" });
const places = placesOf(space);
const drawn = fc.tuple(...places.map(({ widths }) => fc.constantFrom(...widths)));

t.test("every kernel is in one unit, by rising variance", async (t) => {
  for (const { outputs, units } of space.layers) {
    const rows = units.flatMap(({ rows }) => [...rows]);
    t.strictSame(
      rows.toSorted((a, b) => a - b),
      Array.from({ length: outputs }, (_, row) => row),
    );
    t.equal(units.length, 4);
    t.ok(units.every(({ variance }, unit) => unit === 0 || variance >= units[unit - 1]!.variance));
  }
});

t.test("unless told otherwise a layer has eight groups, or as many as channels", async (t) => {
  const { layers } = createSpace(network, weights, { ...options, groups: undefined, level: "kernel" });
  for (const { outputs, units } of layers) t.equal(units.length, Math.min(8, outputs));
  t.ok(layers.some(({ outputs }) => outputs < 8));
});

t.test("a cost is linear in every width, and rises with it", async (t) => {
  const models = [costModel(space, { relativeBops: 1 }), costModel(space, { sizeBytes: 1 })];
  const place = fc.nat({ max: places.length - 1 });
  lawHolds(
    t,
    fc.tuple(drawn, place),
    ([widths, place]) => {
      for (const { cost } of models) {
        const at = (width: number) => cost(decisionsOf(space, places, widths.with(place, width)));
        expect(at(8) >= at(4) && at(4) >= at(2), "it rises");
        expect(Math.abs(at(8) - at(4) - 2 * (at(4) - at(2))) <= 1e-9 * at(8), "in a straight line");
      }
    },
    40,
  );
});

t.test("widths that are the same in a layer cost what a run's account says", async (t) => {
  const wide = createSpace(network, weights, { ...options, level: "layer" });
  const wholes = placesOf(wide);
  const cases = fc.tuple(...wholes.map(() => fc.constantFrom(2 as const, 4 as const, 8 as const)));
  lawHolds(
    t,
    cases,
    (widths) => {
      const decisions = decisionsOf(wide, wholes, widths);
      const quantizers = createQuantizers(network, {
        ...{ pruning: false, prior: "const", bitsOf: () => 8 },
        initial: { prune: 0, bits4: 0, bits8: 0, bits16: 0, bits32: 0 },
      });
      for (const [index, { weightQuantizer, inputQuantizer }] of layers.entries()) {
        setBits(quantizers.get(weightQuantizer!)!, decisions.units[index]![0] as 2);
        if (inputQuantizer !== null) setBits(quantizers.get(inputQuantizer)!, decisions.activations[index] as 2);
      }
      const { relativeBops, packedBytes } = account(network, quantizers);
      const bops = costModel(wide, { relativeBops: 1 }).cost(decisions);
      expect(Math.abs(bops - relativeBops) < 1e-9 * relativeBops, `${bops} %, not ${relativeBops}`);
      const bytes = costModel(wide, { sizeBytes: 1 }).cost(decisions);
      // A byte for the rest of each layer at most, so that what is found is no larger in the run.
      expect(bytes - packedBytes <= layers.length && bytes >= packedBytes, `${bytes} bytes, not ${packedBytes}`);
    },
    20,
  );
});

t.test("decisions are a policy of every output channel", async (t) => {
  lawHolds(
    t,
    drawn,
    (widths) => {
      const decisions = decisionsOf(space, places, widths);
      expect(`${widthsAt(places, decisions)}` === `${widths}`, "they are where they were put");
      const { weights, activations } = policyOf(space, decisions);
      space.layers.forEach(({ units, activation }, layer) => {
        units.forEach(({ rows }, unit) => {
          for (const row of rows) expect(weights[layer]![row] === decisions.units[layer]![unit], "of its unit");
        });
        const read = "bits" in activation ? activation.bits : activations[activation.decidedBy];
        expect(activations[layer] === read, "who reads the same has the same bits");
      });
    },
    20,
  );
});
