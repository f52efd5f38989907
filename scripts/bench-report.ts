import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { Browser } from "playwright-core";
import { median } from "../src/core/median.ts";
import { renderReport } from "../src/report/run/render-report.ts";
import { launchBrowser } from "../test/fixtures/browser.ts";
import { longRecord } from "../test/fixtures/large-records.ts";

// npm run bench:report [-- --rounds 5] [--json]: the report of 1,000 epochs and 200 quantizers: how long it takes to
// make, its size, and when a browser shows its first chart.
const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" }, json: { type: "boolean" } } });

/** Runs in the page before anything else: notes the first frame in which a chart has a size. */
const watchFirstChart = `
window.firstChart = new Promise((resolve) => {
  const look = () => {
    const chart = [...document.querySelectorAll("figure.chart svg")].find((svg) => svg.getBoundingClientRect().width > 0);
    if (!chart) return requestAnimationFrame(look);
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
  };
  requestAnimationFrame(look);
});`;

interface Opening {
  /** All in milliseconds. */
  readonly firstChart: number;
  readonly loaded: number;
  readonly script: number;
  readonly style: number;
  readonly layout: number;
}

async function open(browser: Browser, file: string): Promise<Opening> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.addInitScript(watchFirstChart);
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  await page.goto(pathToFileURL(file).href);
  const firstChart = (await page.evaluate("window.firstChart")) as number;
  const loaded = (await page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")) as number;
  const { metrics } = await session.send("Performance.getMetrics");
  const metric = (name: string) => 1000 * (metrics.find((one) => one.name === name)?.value ?? 0);
  await page.close();
  return {
    firstChart,
    loaded,
    script: metric("ScriptDuration"),
    style: metric("RecalcStyleDuration"),
    layout: metric("LayoutDuration"),
  };
}

const record = longRecord();
const began = performance.now();
const page = renderReport(record);
const rendering = performance.now() - began;
const folder = mkdtempSync(join(tmpdir(), "bench-report-"));
const file = join(folder, "report.html");
writeFileSync(file, page);
const browser = await launchBrowser();
try {
  const openings: Opening[] = [];
  for (let round = 0; round < Number(values.rounds); round++) openings.push(await open(browser, file));
  const of = (key: keyof Opening) => Math.round(median(openings.map((opening) => opening[key])));
  const figures = {
    renderMs: Math.round(rendering),
    bytes: Buffer.byteLength(page),
    elements: page.split(/<[a-z]/).length - 1,
    firstChartMs: of("firstChart"),
    loadedMs: of("loaded"),
    scriptMs: of("script"),
    styleMs: of("style"),
    layoutMs: of("layout"),
  };
  if (values.json) console.log(JSON.stringify(figures));
  else for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(14)} ${value}`);
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}
