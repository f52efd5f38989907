import t from "tap";
import { changedSettings, describeChange, mayChangeOnResume } from "../../src/config/changes.ts";
import { loadConfig } from "../../src/config/load-config.ts";

const configured = (...set: string[]) => loadConfig("configs/mnist-lenet5-quick.yaml", { set }).config;
const changes = (...set: string[]) => changedSettings(configured(), configured(...set));

t.test("changes are found leaf by leaf", async (t) => {
  t.strictSame(changes(), []);
  t.strictSame(changes("training.epochs=9", "data.folder=/x").map(describeChange), [
    'data.folder: unset → "/x"',
    "training.epochs: 7 → 9",
  ]);
  t.strictSame(changedSettings({ a: [1, 2] }, { a: [1, 3] }), [{ path: "a", before: [1, 2], after: [1, 3] }]);
  t.strictSame(changedSettings({ a: { b: 1 } }, {}).map(describeChange), ['a: {"b":1} → unset']);
  t.strictSame(changedSettings({ a: null }, { a: { b: 1 } }).length, 1);
});

t.test("a run may change how it goes on, not what it is", async (t) => {
  const may = [
    ...["note=x", "checkpoint.everyMinutes=1", "training.epochs=9", "training.weights.learningRate=0.1"],
    ...["training.gates.schedule=cosine", "training.guards.nonFinite=skip", "engine.threads=1", "data.folder=/x"],
    "data.evaluationBatchSize=1",
  ];
  const mayNot = [
    ...["seed=2", "name=x", "data.batchSize=1", "data.validationShare=0.1", "data.limit.train=9", "engine.kind=wasm"],
    ...["method.prior.strength=1", "method.pruning=false", "training.weights={optimizer: sgd}"],
    ...["training.pretrain={epochs: 2}"],
  ];
  for (const set of may) t.ok(changes(set).length > 0 && changes(set).every(mayChangeOnResume), set);
  for (const set of mayNot) t.notOk(changes(set).every(mayChangeOnResume), set);
});

t.test("pretraining may go on with other rates, not for other epochs", async (t) => {
  const pretrained = (rest: string) => configured(`training.pretrain={epochs: 2${rest}}`);
  const changed = changedSettings(pretrained(""), pretrained(", weights: {learningRate: 0.1}"));
  t.strictSame(changed.map(describeChange), ["training.pretrain.weights.learningRate: 0.001 → 0.1"]);
  t.ok(changed.every(mayChangeOnResume));
  const longer = configured("training.pretrain={epochs: 3}");
  t.notOk(changedSettings(pretrained(""), longer).every(mayChangeOnResume));
});
