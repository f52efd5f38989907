import { helpers } from "./script/helpers.ts";
import { live } from "./script/live.ts";
import { saving } from "./script/saving.ts";
import { tables } from "./script/tables.ts";
import { values } from "./script/values.ts";

const setUp = `
const setUp = (root) => { setUpTables(root); setUpCharts(root); };
`;

const script = (...parts: readonly string[]): string => `(() => {\n"use strict";${parts.join("")}})();\n`;

/**
 * The page's only script, as text: it runs in the reader's browser, not here. Without it everything can be read; with
 * it tables sort and copy as CSV, charts tell exact values (pointer, or arrow keys) and save as SVG or PNG.
 */
export const pageScript = script(helpers, tables, values, saving, setUp, "setUp(document);\n");

/** The same for a page that is served while its run goes on: it follows the run as well. */
export const livePageScript = script(helpers, tables, values, saving, setUp, live, "setUp(document);\n");
