import { palette } from "./palette.ts";

const base = `
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-padding-top: 1rem; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
a { color: var(--accent); text-underline-offset: 0.15em; }
h1, h2, h3 { line-height: 1.25; font-weight: 650; margin: 0; text-wrap: balance; }
h1 { font-size: 1.75rem; letter-spacing: -0.015em; }
h2 { font-size: 1.25rem; letter-spacing: -0.01em; margin-bottom: 0.5rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 0.5rem; }
p { margin: 0 0 0.75rem; max-width: 72ch; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; font-size: 0.875em; }
pre code { font-size: inherit; }
abbr[title] { text-decoration: none; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip:not(:focus) { position: absolute; left: -999rem; }
.note { color: var(--muted); font-size: 0.875rem; }
`;

const layout = `
.page { max-width: 66rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
header .kind { color: var(--muted); margin: 0 0 0.25rem; font-size: 0.875rem; }
header .about { color: var(--muted); margin: 0.375rem 0 0; max-width: none; }
.live { margin: 0 0 0.75rem; max-width: none; font-size: 0.875rem; color: var(--muted); }
.live [role="status"] { color: var(--ink); font-weight: 600; }
.status { color: var(--ink); font-weight: 600; }
.banner { margin: 1rem 0 0; padding: 0.625rem 0.875rem; max-width: none; background: var(--note);
  border-left: 3px solid var(--note-edge); }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: 0.125rem 1rem; margin: 1rem 0 0; padding: 0.625rem 0 0;
  border-top: 1px solid var(--rule); font-size: 0.875rem; }
nav a { text-decoration: none; display: inline-block; padding: 0.125rem 0; }
nav a:hover { text-decoration: underline; }
/* A browser lays out what is near the view: of a long run's page, a tenth. */
@media screen { main > section { content-visibility: auto; contain-intrinsic-size: auto 50rem; } }
section { margin-top: 2.5rem; padding-top: 1.5rem; border-top: 1px solid var(--rule); }
@media (min-width: 78rem) {
  .page { max-width: 80rem; display: grid; grid-template-columns: 11rem minmax(0, 66rem); column-gap: 3rem; }
  nav { grid-column: 1; grid-row: 1 / span 2; }
  nav ul { position: sticky; top: 1.5rem; flex-direction: column; margin: 0.25rem 0 0; padding: 0; border: 0; gap: 0.25rem; }
  header { grid-column: 2; grid-row: 1; }
  main { grid-column: 2; grid-row: 2; }
}
.headline { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); margin: 1.5rem 0 0; column-gap: 2rem; }
.headline > div { border-top: 1px solid var(--rule); padding: 0.75rem 0 1rem; display: grid; grid-row: span 2; grid-template-rows: subgrid; row-gap: 0; }
.headline dt { font-size: 0.875rem; color: var(--muted); }
.headline dd { margin: 0; }
.headline strong { display: block; font-size: 1.75rem; line-height: 1.25; font-weight: 600; letter-spacing: -0.015em; }
.headline span { font-size: 0.875rem; color: var(--muted); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); gap: 0 2rem; margin: 0 0 1rem; }
.facts > div { display: grid; grid-template-columns: 9.5rem minmax(0, 1fr); gap: 0.75rem; padding: 0.3125rem 0;
  border-bottom: 1px solid var(--rule); }
.facts dt { color: var(--muted); }
.facts dd { margin: 0; }
.warnings { margin: 0; padding: 0; list-style: none; }
.warnings li { padding: 0.375rem 0; border-bottom: 1px solid var(--rule); }
.warnings .step { color: var(--muted); margin-right: 0.75rem; }
.command, .listing { margin: 0 0 0.75rem; padding: 0.75rem 0.875rem; background: var(--sunken); overflow: auto;
  overflow-wrap: normal; tab-size: 2; }
.listing { max-height: 26rem; }
.command { white-space: pre-wrap; overflow-wrap: anywhere; }
footer { grid-column: 2; margin-top: 2.5rem; padding-top: 1rem; border-top: 1px solid var(--rule); color: var(--muted); font-size: 0.875rem; }
`;

const tables = `
.table { position: relative; margin: 1rem 0 1.5rem; }
.scroll { overflow-x: auto; max-height: 40rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.875rem; line-height: 1.4; overflow-wrap: normal; }
.caption { font-size: 0.875rem; font-weight: 650; margin: 0 0 0.375rem; padding-right: 6rem; max-width: none; }
th, td { text-align: left; padding: 0.3125rem 0.875rem 0.3125rem 0; border-bottom: 1px solid var(--rule);
  vertical-align: middle; font-weight: 400; white-space: nowrap; }
thead th { white-space: normal; }
th:last-child, td:last-child { padding-right: 0.25rem; }
tbody th bdi, tbody td bdi { display: inline-block; width: max-content; max-width: min(22rem, 70vw); overflow-wrap: break-word; white-space: normal; }
thead th { color: var(--muted); font-size: 0.8125rem; vertical-align: bottom; position: sticky; top: 0; background: var(--paper); z-index: 1; }
tfoot th, tfoot td { font-weight: 650; border-bottom: 0; }
.number { text-align: right; }
td .bar { display: block; width: 100%; margin-top: 2px; }
th button { all: unset; cursor: pointer; }
th button:hover { color: var(--ink); text-decoration: underline; text-underline-offset: 0.2em; }
th button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
th[aria-sort] button { color: var(--ink); font-weight: 650; }
th[aria-sort="ascending"] button::after { content: " \\2191"; }
th[aria-sort="descending"] button::after { content: " \\2193"; }
.tool { position: relative; font: inherit; font-size: 0.8125rem; color: var(--accent); background: none; border: 0; padding: 0.125rem 0; cursor: pointer; }
.tool:hover { text-decoration: underline; }
.tool > .hidden { left: 0; }
.tools { position: absolute; top: 0; right: 0; z-index: 2; display: flex; gap: 0.75rem; }
@media (hover: hover) { .chart > .tools { opacity: 0; } .chart:hover > .tools, .chart:focus-within > .tools { opacity: 1; } }
.matrix td { text-align: right; padding: 0.25rem 0.4375rem; min-width: 2.25rem; }
.matrix thead th:not(:first-child):not(.number) { text-align: right; padding-right: 0.4375rem; }
.matrix .none { color: var(--muted); }
.matrix .right { font-weight: 650; background: var(--sunken); }
.matrix [class^="error-"] { font-weight: 650; }
${[1, 2, 3, 4, 5].map((shade) => `.matrix .error-${shade} { background: color-mix(in srgb, var(--wrong) ${6 + 7 * shade}%, var(--paper)); }`).join("\n")}
.stripped { display: flex; align-items: center; gap: 0.5rem; }
.stripped > span { min-width: 2.25em; }
.strip { width: 5.5rem; height: 1rem; background: var(--sunken); outline: 1px solid var(--rule); outline-offset: -1px; flex: none; }
.strip.long { width: min(32rem, 60vw); }
.spark { width: 9rem; height: 1.25rem; display: block; }
.heat-key { white-space: nowrap; }
.heat-key svg { background: var(--sunken); outline: 1px solid var(--rule); vertical-align: baseline; }
`;

const pictures = `
.bits { display: inline-block; min-width: 2em; padding: 0 0.4em; border-radius: 3px; text-align: center; font-weight: 650;
  font-size: 0.8125rem; line-height: 1.5; }
${[0, 2, 3, 4, 8, 16, 32].map((bits) => `.b${bits} { background: var(--bits-${bits}); color: var(--on-${bits}); }`).join("\n")}
.key { list-style: none; display: flex; flex-wrap: wrap; gap: 0.125rem 1rem; margin: 0 0 0.5rem; padding: 0; font-size: 0.8125rem; color: var(--muted); }
.key li { display: inline-flex; align-items: center; gap: 0.375rem; }
.bar { display: block; width: 100%; height: 5px; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(27rem, 100%), 1fr)); gap: 1.5rem 2.5rem; align-items: start; }
.matrix-and-list { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 0 2.5rem; align-items: start; }
.figures > * { min-width: 0; margin-top: 0; }
.figures > .table { grid-column: 1 / -1; }
.chart { margin: 0; position: relative; }
.chart figcaption { font-weight: 650; font-size: 0.875rem; padding-right: 6rem; margin-bottom: 0.25rem; }
.plot { position: relative; max-width: 36rem; }
.plot > svg { display: block; width: 100%; height: auto; }
.plot > .narrow { display: none; }
[data-axis="marks"] > .plot { max-width: none; overflow-x: auto; }
[data-axis="marks"] > .plot > svg { width: auto; max-width: 100%; }
.at > .frame { stroke: var(--accent); stroke-width: 2; }
.small-multiples { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(16rem, 100%), 1fr)); gap: 1.5rem 2rem; }
.small-multiples > * { min-width: 0; }
.key + .chart { margin-top: 1rem; }
.chart > .note { margin: 0.25rem 0 0; }
.small-multiples .note { font-size: 0.8125rem; }
.small-multiples figcaption { padding-right: 5rem; }
.beside h3 { margin-top: 0; }
.gallery { list-style: none; display: grid; grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); gap: 1rem; margin: 0.5rem 0 0; padding: 0; font-size: 0.8125rem; }
.gallery img { display: block; width: 5rem; height: 5rem; object-fit: contain; image-rendering: pixelated; background: var(--sunken); margin-bottom: 0.25rem; }
.gallery span { display: block; }
.gallery bdi { display: inline; }
.gallery .sure { color: var(--muted); }
.formula { font-size: 0.875rem; }
.equation { padding: 0.5rem 0.75rem; background: var(--sunken); }
.formula h3 { margin-top: 0; font-size: 0.875rem; }
.tip { position: fixed; z-index: 9; top: 0; left: 0; pointer-events: none; max-width: min(20rem, 92vw); padding: 0.375rem 0.625rem;
  background: var(--paper); color: var(--ink); border: 1px solid var(--axis); border-radius: 4px; font-size: 0.8125rem; line-height: 1.45;
  box-shadow: 0 2px 10px rgb(0 0 0 / 0.14); }
.tip[hidden] { display: none; }
.tip div { display: flex; gap: 1rem; justify-content: space-between; }
.tip div :last-child { font-weight: 650; white-space: nowrap; }
.cursor { position: absolute; top: 0; bottom: 1.5rem; width: 0; border-left: 1px solid var(--muted); pointer-events: none; }
.cursor[hidden] { display: none; }
`;

const small = `
@media (max-width: 60rem) { .matrix-and-list { display: block; } }
@media (max-width: 40rem) {
  .plot > .wide { display: none; }
  .plot > .narrow { display: block; }
  .plot { max-width: 24rem; }
  h1 { font-size: 1.5rem; }
  .facts > div { grid-template-columns: 7.5rem minmax(0, 1fr); }
  .headline { grid-template-columns: repeat(2, minmax(0, 1fr)); column-gap: 1rem; }
  .headline > div { padding: 0.5rem 0 0.75rem; }
  .headline strong { font-size: 1.375rem; }
}
@media print {
  body { font-size: 10pt; }
  .page { max-width: none; padding: 0; display: block; }
  nav, .live, .tools, .tip, .cursor, .skip { display: none !important; }
  .scroll, .listing { overflow: visible; max-height: none; }
  .listing { white-space: pre-wrap; }
  section { border-top: 0; margin-top: 1rem; }
  h2, h3, caption, figcaption { break-after: avoid; }
  figure, tr, .gallery li, .headline > div { break-inside: avoid; }
  thead th { position: static; }
  table { font-size: 7.5pt; }
  th, td { padding-right: 0.375rem; white-space: normal; }
  .strip { width: 3rem; }
  .stripped { gap: 0.25rem; }
  .bits { font-size: 7.5pt; padding: 0 0.2em; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;

/** The page's only style sheet. The page's policy allows it by its hash. */
export const styles = palette + base + layout + tables + pictures + small;
