/** Fewer layers than this need no groups to be found in. */
const fewNames = 8;

/**
 * The stage of each name: the first part that it does not share with all others, as `stage1` of stage1.block2.conv1. None
 * has one where names are few, or where fewer than two stages have several names.
 *
 * @param names Parts are divided by dots or slashes.
 */
export function stagesOf(names: readonly string[]): ReadonlyMap<string, string> {
  const parts = new Map(names.map((name) => [name, name.split(/[./]/).filter((part) => part !== "")]));
  const dotted = [...parts.values()].filter(({ length }) => length > 1);
  let shared = 0;
  while (dotted.length > 1 && dotted.every((one) => one.length > shared + 1 && one[shared] === dotted[0]?.[shared]))
    shared++;
  const stages = new Map(
    [...parts].flatMap(([name, all]) =>
      all.length > shared + 1 ? [[name, all.slice(0, shared + 1).join(".")] as const] : [],
    ),
  );
  const all = [...stages.values()];
  const large = [...new Set(all)].filter((stage) => all.indexOf(stage) !== all.lastIndexOf(stage));
  if (names.length < fewNames || large.length < 2) return new Map();
  return new Map([...stages].filter(([, stage]) => large.includes(stage)));
}
