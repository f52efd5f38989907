import { join } from "node:path";
import t from "tap";
import { runEvaluate } from "../../src/commands/evaluate-command.ts";
import { UsageError } from "../../src/core/errors.ts";
import { quietContext } from "../fixtures/context.ts";

const refused = async (options: Parameters<typeof runEvaluate>[0]): Promise<unknown> =>
  runEvaluate(options, quietContext()).then(
    () => null,
    (error: unknown) => error,
  );

t.test("a place that holds nothing is said to, whatever else is missing", async (t) => {
  const target = join(t.testdir({}), "nope");
  for (const data of [undefined, "mnist"]) {
    const error = await refused({ target, ...(data !== undefined && { data }) });
    t.ok(error instanceof UsageError);
    t.match(error, { message: `evaluate ${target}: there is no such run folder or ONNX file` });
  }
});

t.test("a run has data of its own: other data is refused", async (t) => {
  const target = t.testdir({});
  t.match(await refused({ target, data: "mnst" }), { message: /--data is for an ONNX file/ });
  t.match(await refused({ target, dataFolder: "x" }), { message: /--data-folder is for an ONNX file/ });
});

t.test("an ONNX file needs data by a name that is known", async (t) => {
  const target = join(t.testdir({ "a.onnx": "" }), "a.onnx");
  t.match(await refused({ target }), { message: /name the data set of an ONNX file with --data/ });
  t.match(await refused({ target, data: "mnst" }), { message: /--data "mnst": expected mnist/ });
});
