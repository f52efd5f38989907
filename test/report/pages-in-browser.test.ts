import { pathToFileURL } from "node:url";
import t from "tap";
import { browserMissing, launchBrowser, openPage, violations } from "../fixtures/browser.ts";
import { pageNames, writePage } from "../fixtures/report-pages.ts";

const combinations = [
  [1440, "light"],
  [360, "dark"],
  [1440, "dark"],
  [360, "light"],
] as const;

/** Of other pages the first two are enough: each width and each scheme once. */
const inAllCombinations: ReadonlySet<string> = new Set([
  ...["finished", "hostile", "comparison", "hostile comparison"],
  ...["quantized", "hostile quantized"],
]);

/** The parts of the page that are wider than their place; a section cuts off what is. */
const overflowing = `[document.documentElement, ...document.querySelectorAll("header, nav, section, footer")]
  .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).map(({ tagName, id }) => tagName + " " + id)`;

/** Labels of drawings that are cut off at their edge. */
const cutLabels = `[...document.querySelectorAll(".plot > svg")].filter(({ clientWidth }) => clientWidth > 0).flatMap((svg) => {
  const { left, right } = svg.getBoundingClientRect();
  return [...svg.querySelectorAll("text")].filter((text) => {
    const at = text.getBoundingClientRect();
    return at.width > 0 && (at.left < left - 1 || at.right > right + 1);
  }).map((text) => (svg.closest("figure")?.id ?? "") + " " + text.textContent);
})`;

/** Tables that scroll sideways; a confusion matrix may, and all differing settings, whose first column stays. */
const cutTables = `[...document.querySelectorAll(".table:not(#confusion-matrix, #difference-table) > .scroll")]
  .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).map(({ parentElement }) => parentElement.id)`;

t.test("every page in a browser", { skip: browserMissing() }, async (t) => {
  const folder = t.testdir({});
  const browser = await launchBrowser();
  t.teardown(() => browser.close());
  for (const name of pageNames) {
    t.test(`${name}: no complaint, no request, no sideways scroll, nothing that axe-core finds`, async (t) => {
      const file = writePage(folder, name);
      const { page, complaints, requests } = await openPage(browser, file);
      for (const [width, scheme] of combinations.slice(0, inAllCombinations.has(name) ? 4 : 2)) {
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme: scheme });
        t.strictSame(await page.evaluate(overflowing), [], `${width} ${scheme}: fits`);
        t.strictSame(await page.evaluate(cutLabels), [], `${width} ${scheme}: whole labels`);
        if (width === 1440 && !/hostile|quantized/.test(name))
          t.strictSame(await page.evaluate(cutTables), [], `${width} ${scheme}: whole tables`);
        t.strictSame(await violations(page), [], `${width} ${scheme}: accessible`);
      }
      t.strictSame(complaints, [], "console");
      t.strictSame(requests, [pathToFileURL(file).href], "requests");
      t.not(await page.title(), "owned");
      await page.context().close();
    });
  }
});
