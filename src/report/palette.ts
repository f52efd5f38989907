/**
 * Colours as CSS variables, for light and dark. Text meets WCAG AA on both papers. Bit-widths run from light to dark,
 * so that their order is seen without colour vision; series differ in dash pattern too.
 */
const light = `
  color-scheme: light;
  --paper: #ffffff; --sunken: #f4f6f8; --ink: #171b21; --muted: #59626e; --rule: #e1e5ea; --axis: #aab2bc;
  --accent: #0b5cad; --kept: #47698c; --heat: #1c4f82; --wrong: #c4500f; --note: #fff6e3; --note-edge: #d99a1c;
  --series-1: #0b62a8; --series-2: #c4500f; --series-3: #00795c; --series-4: #93409b; --series-5: #806200; --series-6: #4d5966;
  --bits-0: #dfe3e8; --on-0: #3b434d; --bits-2: #c4e6c6; --on-2: #10301d; --bits-3: #97d6bf; --on-3: #0a3022; --bits-4: #6fc5b8; --on-4: #07302c;
  --bits-8: #2377b4; --on-8: #ffffff; --bits-16: #4547a9; --on-16: #ffffff; --bits-32: #3b0f60; --on-32: #ffffff;`;

const dark = `
  color-scheme: dark;
  --paper: #14171b; --sunken: #1c2026; --ink: #e6e9ee; --muted: #a3acb8; --rule: #2c323a; --axis: #5a636f;
  --accent: #84bbf5; --kept: #8fb0d2; --heat: #7fb6ee; --wrong: #f2935c; --note: #2a2416; --note-edge: #b98a2c;
  --series-1: #6db3f2; --series-2: #f2935c; --series-3: #4fc3a1; --series-4: #d493dc; --series-5: #d9b64a; --series-6: #b3bcc7;
  --bits-0: #3a414a; --on-0: #e6e9ee; --bits-16: #575fcf; --bits-32: #7c3fb5;`;

export const palette = `:root {${light}\n}\n@media screen and (prefers-color-scheme: dark) { :root {${dark}\n} }\n`;
