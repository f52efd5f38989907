import { createHash } from "node:crypto";
import { type Markup, markup, shorten, trusted, withoutHarmfulCharacters } from "./markup.ts";
import { pageScript } from "./page-script.ts";
import { type Section, sectionMarkup } from "./sections/section.ts";
import { styles } from "./styles.ts";

export interface Page {
  readonly title: string;
  /** Name, status, headline figures: the first screen. */
  readonly header: Markup;
  readonly sections: readonly Section[];
  readonly footer: Markup;
}

const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** Nothing may be loaded from anywhere; only this style sheet and this script apply, known by their hashes. */
const policy = [
  "default-src 'none'",
  `script-src ${hash(pageScript)}`,
  `style-src ${hash(styles)}`,
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** The whole document, one file that needs no other. */
export function pageText({ title, header, sections, footer }: Page): string {
  const page = markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
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
${header}
</header>
<nav aria-label="Sections"><ul>${sections.map(({ id, title }) => markup`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
<main id="content">
${sections.map(sectionMarkup)}</main>
<footer>${footer}</footer>
</div>
<script>${trusted(pageScript)}</script>
</body>
</html>
`;
  return withoutHarmfulCharacters(page.toString());
}
