import t from "tap";
import { stagesOf } from "../../../src/report/page/stages.ts";

const stage = (...names: string[]) => [...stagesOf(names)].map(([name, stage]) => `${name}: ${stage}`);

t.test("layers are of the stage that their names begin with; what stands alone is of none", async (t) => {
  const inside = ["conv1", "conv2"].flatMap((layer) =>
    ["1", "2", "3"].map((number) => `stage${number}.block.${layer}`),
  );
  t.strictSame(
    stage("conv1", ...inside, "fc"),
    inside.map((name) => `${name}: ${name.slice(0, 6)}`),
  );
});

t.test("what all dotted names share is no stage", async (t) => {
  const inside = ["a", "b"].flatMap((part) => ["1", "2", "3", "4"].map((layer) => `/model/${part}/conv${layer}/Conv`));
  t.strictSame(
    stage(...inside),
    inside.map((name) => `${name}: model.${name[7]}`),
  );
});

t.test("few layers, or one stage alone, are not grouped", async (t) => {
  t.strictSame(stage("a.1", "a.2", "b.1", "b.2"), []);
  t.strictSame(stage(...Array.from({ length: 9 }, (_, index) => `a.${index}`)), []);
  t.strictSame(stage(...Array.from({ length: 9 }, (_, index) => `conv${index}`)), []);
});
