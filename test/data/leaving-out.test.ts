import t from "tap";
import { leavingOut } from "../../src/data/leaving-out.ts";
import type { OpenedData } from "../../src/data/opened-data.ts";

const source = { count: 0, ahead: () => 0, read: async () => Promise.reject(new Error("not read")), use() {} };
const opened = (train: readonly number[], test: readonly number[]): OpenedData => ({
  ...{ imageShape: [1, 1, 1], targets: { kind: "classes", names: ["good", "cut", "hole"] }, normalization: null },
  ...{ train: source, validation: null, test: source, files: [], images: null },
  classes: { train: Int32Array.from(train), validation: null, test: Int32Array.from(test) },
  damaged: () => [],
  close: async () => {},
});
const all = (values: readonly number[]) => Uint32Array.from(values.keys());

t.test("anomalies are left out of training, and each other part has some", async (t) => {
  const [train, test] = [
    [0, 1, 0, 2],
    [0, 2, 1],
  ];
  const left = (options: { readonly without?: string[]; validation?: number[]; tested?: readonly number[] } = {}) => {
    const { without = ["cut", "hole"], validation, tested = [0, 1, 2] } = options;
    return leavingOut(
      opened(train, test),
      {
        train: all(train),
        validation: validation ? Uint32Array.from(validation) : null,
        test: Uint32Array.from(tested),
      },
      without,
    );
  };
  t.strictSame([...left()], [0, 2]);
  t.strictSame([...left({ without: [] })], [0, 1, 2, 3]);
  t.strictSame([...left({ validation: [0, 3] })], [0, 2]);
  const refused = (options: Parameters<typeof left>[0], message: RegExp) =>
    t.throws(() => left(options), { name: "UsageError", message });
  refused({ without: ["scratch"] }, /task\.anomalies: expected classes of the data \(good, cut, hole\), got scratch/);
  refused(
    { tested: [0] },
    /none of the 1 test images are of cut, hole, so there is nothing to tell apart: .*data\.limit\.test/,
  );
  refused({ tested: [1, 2] }, /all the 2 test images are of cut, hole/);
  refused({ validation: [0, 2] }, /none of the 2 validation images .* data\.validationShare/);
  refused({ without: ["good", "cut", "hole"] }, /all training images are of these classes/);
});
