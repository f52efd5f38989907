import { createHash } from "node:crypto";
import { pageBundle } from "./bundle.ts";
import { type Markup, markup, shorten, trusted, withoutHarmfulCharacters } from "./markup.ts";
import { type Section, sectionMarkup } from "./section.ts";

export interface Page {
  readonly title: string;
  /** Name, status, headline figures: the first screen. */
  readonly header: Markup;
  readonly sections: readonly Section[];
  readonly footer: Markup;
  /** Of a page that is served while its run goes on: what tells its states apart, growing. */
  readonly liveVersion?: number | undefined;
}

const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** Characters beyond which a browser lays out only what is near the view: of a long run's page, a tenth. */
const longPage = 2e6;

/** Nothing may be loaded from anywhere; only this style sheet and this script apply, known by their hashes. */
const policyOf = (script: string): string =>
  [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(pageBundle().styles)}`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");

/** The policy of a page that is served: it may ask the server that it comes from, and nobody else. */
export const livePolicy = (): string => `${policyOf(pageBundle().liveScript)}; connect-src 'self'`;

/** The whole document, one file that needs no other. */
export function pageText({ title, header, sections, footer, liveVersion }: Page): string {
  const isLive = liveVersion !== undefined;
  const { styles, script, liveScript } = pageBundle();
  const content = sections.map((section) => sectionMarkup(section).toString());
  const isLong = content.reduce((sum, { length }) => sum + length, 0) > longPage;
  const page = markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${isLive ? livePolicy() : policyOf(script)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${shorten(title, 120)}</title>
<link rel="icon" href="data:,">
<style>${trusted(styles)}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<div class="page">
<header>
${isLive && liveLine(liveVersion)}
<div id="head">
${header}
</div>
</header>
<nav aria-label="Sections"><ul id="sections">${sections.map(({ id, title }) => markup`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
<main id="content"${isLong && markup` class="long"`}>
${content.map(trusted)}</main>
<footer>${footer}</footer>
</div>
<script>${trusted(isLive ? liveScript : script)}</script>
</body>
</html>
`;
  return withoutHarmfulCharacters(page.toString());
}

const liveLine = (version: number): Markup =>
  markup`<p class="live" id="live" data-version="${version}"><span role="status">Live: this page follows the run.</span> <span class="when"></span> <span class="step"></span></p>`;
