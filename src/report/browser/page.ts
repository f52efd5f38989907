/**
 * The page's only script. Without it everything can be read; with it tables sort and copy as CSV, charts tell exact
 * values (pointer, or arrow keys) and save as SVG or PNG, and runs of a
 * comparison can be picked.
 */
import { setUpFilters } from "./filters.ts";
import { setUp } from "./set-up.ts";
import { setUpStrips } from "./strips.ts";

setUpStrips();
setUp(document);
setUpFilters();
