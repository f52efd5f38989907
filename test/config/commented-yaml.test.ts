import t from "tap";
import { parse } from "yaml";
import { commentedYaml } from "../../src/config/commented-yaml.ts";

t.test("comments stand behind values and above sections and lists; the settings are the same", async (t) => {
  const settings = { name: "it: yes", data: { name: "mnist", size: [28, 28] }, training: { epochs: 3 } };
  const text = commentedYaml(settings, {
    header: ["what: ever", "next"],
    comments: new Map([
      ["data", "images"],
      ["data.name", "known"],
      ["data.size", "pixels"],
      ["training.epochs", "few"],
      ["method", "is not there"],
    ]),
  });
  t.equal(
    text,
    `# what: ever
# next

name: "it: yes"
# images
data:
  name: mnist # known
  # pixels
  size: [28, 28]
training:
  epochs: 3 # few
`,
  );
  t.strictSame(parse(text), settings);
});
