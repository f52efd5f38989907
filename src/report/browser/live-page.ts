/** The script of a page that is served while its run goes on: the page's, and it follows the run. */
import { followRun } from "./live/follow-run.ts";
import "./page.ts";

followRun();
