import { helpers } from "./script/helpers.ts";
import { saving } from "./script/saving.ts";
import { tables } from "./script/tables.ts";
import { values } from "./script/values.ts";

/**
 * The page's only script, as text: it runs in the reader's browser, not here. Without it everything can be read; with
 * it tables sort and copy as CSV, charts tell exact values (pointer, or arrow keys) and save as SVG or PNG.
 */
export const pageScript = `(() => {\n"use strict";${helpers}${tables}${values}${saving}})();\n`;
