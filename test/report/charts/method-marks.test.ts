import t from "tap";
import { configJsonSchema } from "../../../src/config/canonical.ts";
import { methodLooks, methodMark } from "../../../src/report/charts/method-marks.ts";

t.test("every method has a colour and a shape of its own", async (t) => {
  const looks = Object.values(methodLooks);
  const names = JSON.stringify(configJsonSchema().properties.method);
  for (const name of Object.keys(methodLooks)) t.match(names, `"const":"${name}"`, "a method's name");
  t.equal(new Set(looks.map(({ colour }) => colour)).size, looks.length);
  t.equal(new Set(looks.map(({ shape }) => shape)).size, looks.length);
  t.match(methodMark("fixed").toString(), "var(--series-2)");
});
