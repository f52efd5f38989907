import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import t from "tap";
import { renderReport } from "../../src/report/render-report.ts";
import { writeReport } from "../../src/report/write-report.ts";
import { browserMissing, launchBrowser } from "../fixtures/browser.ts";
import { hostileRecord } from "../fixtures/hostile-record.ts";
import { sampleRecord, unfinishedRecord } from "../fixtures/sample-record.ts";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Every state of a run that a reader may open. */
const records = {
  finished: sampleRecord(),
  unfinished: unfinishedRecord(),
  "without epochs": unfinishedRecord({ epochs: 0 }),
  hostile: hostileRecord(),
} as const;

/** What a page said and asked for while it was open. */
interface Opened {
  readonly page: Page;
  readonly complaints: string[];
  readonly requests: string[];
}

async function open(
  browser: Browser,
  file: string,
  { width = 1440, scheme = "light" as "light" | "dark" } = {},
): Promise<Opened> {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: scheme,
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(pathToFileURL(file).href);
  return { page, complaints, requests };
}

const skip = browserMissing();

t.test("the report in a browser", { skip }, async (t) => {
  const folder = t.testdir({});
  const files = new Map(Object.keys(records).map((name) => [name, join(folder, `${name}.html`)]));
  for (const [name, record] of Object.entries(records)) writeReport(record, files.get(name)!);
  const browser = await launchBrowser();
  t.teardown(() => browser.close());

  for (const [name, file] of files) {
    t.test(`${name}: no complaint, no request, no sideways scroll, nothing that axe-core finds`, async (t) => {
      for (const width of [1440, 360]) {
        for (const scheme of ["light", "dark"] as const) {
          const { page, complaints, requests } = await open(browser, file, { width, scheme });
          const overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
          t.equal(await page.evaluate(overflow), 0, `${width} ${scheme}: fits`);
          await page.evaluate(axeSource);
          const violations = await page.evaluate(
            "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map((node) => node.html.slice(0, 120)).join(' ')))",
          );
          t.strictSame(violations, [], `${width} ${scheme}: accessible`);
          t.strictSame(complaints, [], `${width} ${scheme}: console`);
          t.strictSame(requests, [pathToFileURL(file).href], `${width} ${scheme}: requests`);
          t.not(await page.title(), "owned");
          await page.context().close();
        }
      }
    });
  }

  t.test("tables sort by value, empty cells last", async (t) => {
    const { page } = await open(browser, files.get("finished")!);
    const first = () => page.locator("#tensors tbody tr th").first().textContent();
    const last = () => page.locator("#tensors tbody tr td:last-child").last().textContent();
    const button = (name: string) => page.locator("#tensors thead button", { hasText: name });
    await button("Elements").click();
    t.equal(await first(), "fc1.quantizer", "512 comes before 800: numbers, not text");
    await button("Elements").click();
    t.equal(await first(), "fc1.weight.quantizer");
    t.equal(await page.locator("#tensors th[aria-sort]").getAttribute("aria-sort"), "descending");
    await button("Channels kept").click();
    t.equal(await first(), "conv1.weight.quantizer");
    t.equal(await last(), "–");
    await page.context().close();
  });

  t.test("tables copy as CSV with exact values, and names that are formulas are defused", async (t) => {
    const { page } = await open(browser, files.get("hostile")!);
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.locator("#layer-table > .tool").click();
    await page.locator("#layer-table > .tool", { hasText: "Copied" }).waitFor();
    const layers = (await page.evaluate("navigator.clipboard.readText()")) as string;
    t.match(layers, /^Layer,Weight shape,MACs,Weight bits,/);
    t.match(layers, /,5×5×1×32,460800,2,8,30,1,6912000,/);
    await page.locator("#data-files > .tool").click();
    await page.locator("#data-files > .tool", { hasText: "Copied" }).waitFor();
    t.match((await page.evaluate("navigator.clipboard.readText()")) as string, `"'=HYPERLINK(""x"")",60008,`);
    await page.context().close();
  });

  t.test("charts tell exact values under the pointer and by arrow keys", async (t) => {
    const { page } = await open(browser, files.get("finished")!);
    const tip = page.locator(".tip");
    await page.locator("#relative-bops .plot").scrollIntoViewIfNeeded();
    const box = (await page.locator("#relative-bops .plot").boundingBox())!;
    await page.mouse.move(box.x + box.width - 16, box.y + 60);
    const bops = Number(records.finished.result!.relativeBops.toPrecision(6));
    t.match(await tip.textContent(), new RegExp(`epoch 6[\\s\\S]*relative BOPs[\\s\\S]*${bops}`));
    await page.mouse.move(1, 1);
    t.equal(await tip.isVisible(), false);
    await page.locator("#accuracy .plot").focus();
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
    await page.context().close();
  });

  t.test("a chart saves as an SVG that stands alone", async (t) => {
    const { page } = await open(browser, files.get("finished")!);
    const [download] = await Promise.all([page.waitForEvent("download"), page.locator("#loss > .tool").click()]);
    t.equal(download.suggestedFilename(), "loss.svg");
    const svg = readFileSync(await download.path(), "utf8");
    t.match(svg, /^<svg [\s\S]*<\/svg>$/);
    t.notMatch(svg, "var(");
    t.match(svg, "test cross-entropy");
    await page.context().close();
  });

  t.test("everything can be read without JavaScript", async (t) => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(pathToFileURL(files.get("finished")!).href);
    t.match(await page.locator("#loss svg.wide path").count(), Number);
    t.equal(await page.locator("button").count(), 0, "no control that does nothing");
    t.equal(await page.locator("#tensors tbody tr").count(), records.finished.quantizers.length);
    await context.close();
  });
});

t.test("a long run's report is made quickly and stays small", async (t) => {
  const record = sampleRecord();
  const epochs = Array.from({ length: 1000 }, (_, index) => ({ ...record.epochs[index % 6]!, epoch: index + 1 }));
  const started = performance.now();
  const page = renderReport({ ...record, epochs });
  t.ok(performance.now() - started < 10_000);
  t.ok(page.length < 10e6, `${page.length} bytes`);
});
