import t from "tap";
import { layerStateSize, layerStates } from "../../../src/methods/autoq/layer-state.ts";
import { lenet5 } from "../../../src/network/zoo/lenet5.ts";

t.test("a layer's state is scaled by the smallest and the largest of the network", async (t) => {
  const states = layerStates(lenet5({ inputShape: [28, 28, 1], classes: 10, widths: [4, 6, 12] }));
  t.equal(states.length, 4);
  for (const state of states) {
    t.equal(state.length, layerStateSize);
    t.ok(state.every((value) => value >= 0 && value <= 1));
  }
  const column = (index: number) => states.map((state) => state[index]);
  t.strictSame(column(0), [0, 0, 0, 0], "none is depthwise");
  t.strictSame(column(2), [0, 0.25, 1, 0.75], "4, 6, 12 and 10 channels out");
  t.strictSame(column(3), [1, 1, 0, 0], "a dense layer has no stride");
  t.strictSame(column(7), Array.from(new Float32Array([0, 1 / 3, 2 / 3, 1])), "the index");
});
