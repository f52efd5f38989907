import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import t from "tap";
import { parseConfig } from "../../src/config/parse-config.ts";
import { renderReport } from "../../src/report/run/render-report.ts";
import { writeReport } from "../../src/report/run/write-report.ts";
import { readRecord } from "../../src/runs/record-file.ts";
import { browserMissing, launchBrowser, openPage, violations } from "../fixtures/browser.ts";
import { longRecord } from "../fixtures/large-records.ts";
import { writePage } from "../fixtures/report-pages.ts";
import { sampleRecord } from "../fixtures/sample-record.ts";

t.test("the report in a browser", { skip: browserMissing() }, async (t) => {
  const folder = t.testdir({});
  const files = new Map(
    ["finished", "hostile", "residual", "comparison", "quantized"].map((name) => [name, writePage(folder, name)]),
  );
  const browser = await launchBrowser();
  t.teardown(() => browser.close());

  t.test("tables sort by value, empty cells last", async (t) => {
    const { page } = await openPage(browser, files.get("finished")!);
    const names = () => page.locator("#layer-table tbody tr th bdi").allTextContents();
    const button = (name: string) => page.locator("#layer-table thead button", { hasText: name });
    await button("Parameters").click();
    t.strictSame(await names(), ["conv1", "fc2", "conv2", "fc1"], "780 comes before 3,020: numbers, not text");
    await button("Parameters").click();
    t.strictSame(await names(), ["fc1", "conv2", "fc2", "conv1"]);
    t.equal(await page.locator("#layer-table th[aria-sort]").getAttribute("aria-sort"), "descending");
    await button("Output bits").click();
    t.equal((await names()).at(-1), "fc2", "its output is not quantized");
    await page.context().close();
  });

  t.test("layers are grouped by stage until they are sorted, and a total stays in view", async (t) => {
    const { page } = await openPage(browser, files.get("residual")!);
    const stages = page.locator("#layer-table .group");
    t.match(await stages.first().textContent(), /^stage1, 6 layers/);
    const foot = page.locator("#layer-table tfoot th");
    const below = await foot.evaluate((foot) => {
      const scroller = foot.closest(".scroll")!;
      return foot.getBoundingClientRect().bottom - scroller.getBoundingClientRect().bottom;
    });
    t.ok(Math.abs(below) < 2, `${below} pixels below what is seen of the table`);
    await page.locator("#layer-table thead button", { hasText: "MACs" }).click();
    t.equal(await stages.first().isVisible(), false);
    await page.context().close();
  });

  t.test("tables copy as CSV with exact values, and names that are formulas are defused", async (t) => {
    const { page } = await openPage(browser, files.get("hostile")!);
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.locator("#layer-table .tool").click();
    await page.locator("#layer-table .tool", { hasText: "Copied" }).waitFor();
    const layers = (await page.evaluate("navigator.clipboard.readText()")) as string;
    t.match(layers, /^Layer,Weight shape,Output shape,MACs,Weight bits,Weight range,/);
    t.match(layers, /,5×5×1×32,24×24×32,460800,2,[\d.]+,[\d.]*,signed,800,\S+,8,.*,30,1,6912000,/);
    await page.locator("#data-files .tool").click();
    await page.locator("#data-files .tool", { hasText: "Copied" }).waitFor();
    t.match((await page.evaluate("navigator.clipboard.readText()")) as string, `"'=HYPERLINK(""x"")",60008,`);
    await page.context().close();
  });

  t.test("charts tell exact values under the pointer and by arrow keys", async (t) => {
    const { page } = await openPage(browser, files.get("finished")!);
    const tip = page.locator(".tip");
    const plot = page.locator("#relative-bops .plot");
    const { width } = (await plot.boundingBox())!;
    // It waits until sections that come into view have been laid out.
    await plot.hover({ position: { x: width - 16, y: 60 } });
    const bops = Number(sampleRecord().result!.relativeBops.toPrecision(6));
    t.match(await tip.textContent(), new RegExp(`epoch 6[\\s\\S]*relative BOPs[\\s\\S]*${bops}`));
    await page.mouse.move(1, 1);
    t.equal(await tip.isVisible(), false);
    await page.locator("#main-metric .plot").focus();
    await page.keyboard.press("Home");
    t.match(await tip.textContent(), /epoch 1[\s\S]*97\.64[\s\S]*92\.31/);
    await page.keyboard.press("ArrowRight");
    t.match(await tip.textContent(), /epoch 2[\s\S]*98\.21/);
    await page.keyboard.press("Escape");
    t.equal(await tip.isVisible(), false);
    const strip = (await page.locator("#gate-table .strip").first().boundingBox())!;
    await page
      .locator("#gate-table .strip")
      .first()
      .hover({ position: { x: strip.width * 0.25, y: 5 } });
    t.match(await tip.textContent(), /epoch 2[\s\S]*bits[\s\S]*4/);
    await page.mouse.move(1, 1);
    t.equal(await tip.isVisible(), false);
    await page.context().close();
  });

  t.test("a chart saves as an SVG that stands alone", async (t) => {
    const { page } = await openPage(browser, files.get("finished")!);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.locator("#loss .tool", { hasText: "SVG" }).click(),
    ]);
    t.equal(download.suggestedFilename(), "loss.svg");
    const svg = readFileSync(await download.path(), "utf8");
    t.match(svg, /^<svg [\s\S]*<\/svg>$/);
    t.notMatch(svg, "var(");
    t.match(svg, "test cross-entropy");
    await page.context().close();
  });

  t.test("a chart saves as a PNG of twice its size", async (t) => {
    const { page } = await openPage(browser, files.get("finished")!);
    const box = (await page.locator("#weights-1 svg.any").boundingBox())!;
    const png = page.locator("#weights-1 .tool", { hasText: "PNG" });
    const [download] = await Promise.all([page.waitForEvent("download"), png.click()]);
    t.equal(download.suggestedFilename(), "weights-1.png");
    const file = readFileSync(await download.path());
    t.equal(file.toString("latin1", 1, 4), "PNG");
    t.equal(file.readUInt32BE(16), 600, "of 300 pixels");
    t.ok(box.width > 100);
    await page.context().close();
  });

  t.test(
    "the network's boxes and the plot's points tell their figures, under the pointer and by arrow keys",
    async (t) => {
      const network = await openPage(browser, files.get("finished")!);
      const tip = network.page.locator(".tip");
      await network.page.locator("#network svg.wide [data-i='3']").hover();
      t.match(await tip.textContent(), /conv2[\s\S]*weight2 bits[\s\S]*reads pool1[\s\S]*41 of 64/);
      await network.page.locator("#network .plot").focus();
      await network.page.keyboard.press("End");
      t.match(await tip.textContent(), /fc2[\s\S]*8 bits/);
      await network.page.keyboard.press("Enter");
      const row = network.page.locator("#layer-table tr:target");
      t.match(await row.textContent(), /^fc2/, "the box leads to its row");
      await network.page.locator("#network svg.wide [data-i='3']").click();
      t.match(await row.textContent(), /^conv2/);
      t.ok((await row.evaluate((row) => row.getBoundingClientRect().bottom)) <= 900, "which is in view");
      await network.page.context().close();
      const { page } = await openPage(browser, files.get("comparison")!);
      await page.locator("#front-1-bops .plot").focus();
      await page.keyboard.press("Home");
      t.match(await page.locator(".tip").textContent(), /bits-0\.1, seed 1[\s\S]*top-199\.30/);
      await page.context().close();
    },
  );

  t.test("a comparison sorts, and copies in the order that is shown", async (t) => {
    const { page } = await openPage(browser, files.get("comparison")!);
    await page.locator("#run-table thead button", { hasText: "Relative BOPs" }).click();
    t.match(await page.locator("#run-table tbody th").first().textContent(), "bits-0.3");
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.locator("#run-table .tool").click();
    await page.locator("#run-table .tool", { hasText: "Copied" }).waitFor();
    t.match((await page.evaluate("navigator.clipboard.readText()")) as string, /^Run,Seed,.*\r\nbits-0\.3,1,/);
    await page.context().close();
  });

  t.test("controls pick runs: tables hide the others, drawings let them fade, and CSV leaves them out", async (t) => {
    const { page } = await openPage(browser, files.get("comparison")!);
    const rows = () => page.locator("#run-table tbody tr:visible").count();
    const faint = () => page.locator("#front-1-bops svg.wide g.out[data-i]").count();
    t.strictSame([await rows(), await faint()], [7, 0]);
    await page.getByLabel("Method").focus();
    await page.keyboard.type("fixed");
    t.strictSame([await rows(), await faint()], [1, 5], "by the keyboard");
    t.equal(await page.locator("#bits-1 svg.wide [data-i]:not(.out)").count(), 8, "one column of four layers, twice");
    t.match(await page.locator("form.filters output").textContent(), "1 of 7 runs");
    t.strictSame(await violations(page), []);
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.locator("#run-table .tool").click();
    await page.locator("#run-table .tool", { hasText: "Copied" }).waitFor();
    const csv = (await page.evaluate("navigator.clipboard.readText()")) as string;
    t.equal(csv.trimEnd().split("\r\n").length, 2, "the head, and one run");
    await page.getByRole("button", { name: "All runs" }).click();
    t.strictSame([await rows(), await faint()], [7, 0]);
    await page.context().close();
  });

  t.test("cells of the heat map tell their bits, and keys up and down go from layer to layer", async (t) => {
    const { page } = await openPage(browser, files.get("comparison")!);
    const tip = page.locator(".tip");
    await page.locator("#bits-1 svg.wide [data-i='0']").hover();
    t.match(await tip.textContent(), /^conv1 in bits-0\.3, seed 1weight\d+ bits/);
    await page.locator("#bits-1 .plot").focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowDown");
    t.match(await tip.textContent(), /^conv2 in bits-0\.3, seed 1/);
    await page.context().close();
  });

  t.test("a table that scrolls sideways keeps its first column in sight", async (t) => {
    const { page } = await openPage(browser, files.get("comparison")!, { width: 360 });
    const left = `(() => {
      const scroll = document.querySelector("#run-table .scroll");
      scroll.scrollIntoView();
      scroll.scrollLeft = 300;
      const cell = scroll.querySelector("tbody th").getBoundingClientRect();
      return [scroll.scrollLeft, cell.left - scroll.getBoundingClientRect().left];
    })()`;
    t.strictSame(await page.evaluate(left), [300, 0]);
    await page.context().close();
  });

  t.test("a quantized file's layers sort by noise, plans tell their values, commands copy", async (t) => {
    const { page } = await openPage(browser, files.get("quantized")!);
    await page.locator("#layer-table thead button", { hasText: "Signal-to-noise" }).click();
    t.equal(await page.locator("#layer-table tbody th").first().textContent(), "conv1", "the noisiest");
    await page.locator("#plans .plot").focus();
    await page.keyboard.press("Home");
    t.match(await page.locator(".tip").textContent(), /The chosen plan[\s\S]*signal-to-noise36\.0\u202fdB/);
    await page.locator("#harms .plot").focus();
    await page.keyboard.press("Home");
    t.match(await page.locator(".tip").textContent(), /conv1width2 bitsbytes200/);
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.locator("#budget-table .tool").click();
    await page.locator("#budget-table .tool", { hasText: "Copied" }).waitFor();
    t.match(
      (await page.evaluate("navigator.clipboard.readText()")) as string,
      /\r\n6\.25,.*,bayesian-bits quantize \. --budget 6\.25%/,
    );
    await page.context().close();
  });

  t.test(
    "a record of 1,000 epochs and 200 quantizers is a page of bearable size, laid out as it is read",
    async (t) => {
      const file = join(folder, "long.html");
      writeReport(longRecord(), file);
      t.ok(statSync(file).size < 10e6, `${statSync(file).size} bytes`);
      const { page, complaints } = await openPage(browser, file);
      await page.locator("#network svg.wide").waitFor();
      const elements = (await page.evaluate("document.querySelectorAll('*').length")) as number;
      t.ok(elements < 120_000, `${elements} elements`);
      const drawn = `[...document.querySelectorAll("#gates .strip")].filter((strip) => strip.checkVisibility({ contentVisibilityAuto: true })).length`;
      t.equal(await page.evaluate(drawn), 0, "far below the view nothing is laid out");
      await page.locator("#gate-table").scrollIntoViewIfNeeded();
      await page.locator("#gate-table .strip").first().hover();
      t.match(await page.locator(".tip").textContent(), /epoch \d+/);
      t.strictSame(complaints, []);
      await page.context().close();
    },
  );

  t.test("on a phone the verdict is on the first screen, with all that decides", async (t) => {
    const file = join(folder, "decided.html");
    const record = sampleRecord();
    const config = parseConfig({
      ...record.config,
      method: { name: "bayesian-bits", prior: { target: { relativeBops: 0.1 } } },
    });
    const float = { ...record, name: "float", config: parseConfig({ ...record.config, method: { name: "fp32" } }) };
    writeReport({ ...record, config }, file, { baselines: [float] });
    const { page } = await openPage(browser, file, { width: 390 });
    await page.setViewportSize({ width: 390, height: 844 });
    t.equal(
      await page.locator(".verdict").textContent(),
      "Against float32: no difference in top-1 beyond chance (±0.00 points), 30.1× smaller, as fast. Its budget is not met.",
    );
    const names = page.locator(".headline.decide dt");
    t.strictSame(await names.allTextContents(), [
      ...["Top-1, test set", "Top-1 against float32", "File size", "Speed against float32", "Budget"],
    ]);
    const { y, height } = (await page.locator(".headline.decide").boundingBox())!;
    t.ok(y + height <= 844, `it ends at ${y + height}`);
    await page.context().close();
  });

  t.test("a picture of a whole page shows every section, and print does, on twelve pages of ResNet-20", async (t) => {
    const file = join(folder, "resnet20.html");
    writeReport(readRecord("reports/cifar10-resnet20"), file);
    const { page } = await openPage(browser, file);
    const hidden = `[...document.querySelectorAll("section .table, section figure")]
      .filter((element) => !element.checkVisibility({ contentVisibilityAuto: true }) || element.clientHeight === 0).map(({ id }) => id)`;
    t.strictSame(await page.evaluate(hidden), [], "on the screen");
    await page.emulateMedia({ media: "print" });
    t.strictSame(await page.evaluate(hidden), [], "in print");
    const pages = (await page.pdf({ format: "A4" })).toString("latin1").match(/\/Type\s*\/Page\b/g)!;
    t.ok(pages.length > 5 && pages.length <= 12, `${pages.length} pages`);
    await page.context().close();
  });

  t.test("everything can be read without JavaScript", async (t) => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(pathToFileURL(files.get("finished")!).href);
    t.match(await page.locator("#loss svg.wide path").count(), Number);
    t.equal(await page.locator("button").count(), 0, "no control that does nothing");
    t.equal(await page.locator("#layer-table tbody tr").count(), sampleRecord().network.layers.length);
    await context.close();
  });
});

t.test("a long run's report keeps the last values exactly and says that not all epochs are drawn", async (t) => {
  const record = longRecord();
  const page = renderReport(record);
  t.match(page, "200 of 1000 epochs are drawn");
  const last = Number(record.epochs.at(-1)!.relativeBops.toPrecision(6));
  const data = JSON.parse(/id="relative-bops-data">([^<]*)</.exec(page)![1]!);
  t.equal(data.series[0].values.at(-1), last);
  t.equal(data.categories.at(-1), "1000");
});
