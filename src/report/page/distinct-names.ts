/** Shares of the room that the start of a name gets, in the order that they are tried. */
const splits = [0.5, 0.3, 0.7, 0.1, 0.9] as const;

/**
 * Names in at most `length` characters, cut in the middle, where dotted names differ least, so that different names stay
 * different: stage1.block1.conv1 → stage1.…ck1.conv1. Names that no such cut tells apart carry their number.
 */
export function distinctNames(names: readonly string[], length: number): readonly string[] {
  const different = new Set(names).size;
  for (const split of splits) {
    const cut = names.map((name) => cutMiddle(name, length, split));
    if (new Set(cut).size === different) return cut;
  }
  const known = [...new Set(names)];
  return names.map((name) => {
    const number = String(known.indexOf(name) + 1);
    return name.length <= length ? name : `${number} ${cutMiddle(name, Math.max(1, length - number.length - 1), 0.5)}`;
  });
}

/** Whole characters of the start and of the end, an ellipsis between; of very long names only the ends are looked at. */
function cutMiddle(name: string, length: number, split: number): string {
  if (name.length <= length) return name;
  const [head, tail] = [[...name.slice(0, 2 * length + 2)], [...name.slice(-2 * length - 2)]];
  if (name.length <= 2 * length + 2 && head.length <= length) return name;
  const start = Math.floor((length - 1) * split);
  const end = length - 1 - start;
  return `${head.slice(0, start).join("")}…${end === 0 ? "" : tail.slice(-end).join("")}`;
}
