import { Document, isMap, isNode, isScalar, isSeq, visit } from "yaml";

/**
 * Settings as YAML with comments.
 *
 * @param header Lines before the first setting.
 * @param comments By the path of what they are about, as `training.epochs`: behind a value, above a section.
 */
export function commentedYaml(
  settings: object,
  { header, comments }: { readonly header: readonly string[]; readonly comments: ReadonlyMap<string, string> },
): string {
  const document = new Document(settings);
  document.commentBefore = header.map((line) => ` ${line}`).join("\n");
  visit(document, {
    Seq(_, list) {
      list.flow = true;
    },
    Pair(_, { key, value }, parents) {
      const path = [...parents, { key }]
        .flatMap((one) => ("key" in one && isScalar(one.key) ? [String(one.key.value)] : []))
        .join(".");
      const comment = comments.get(path);
      if (comment === undefined) return;
      const place = isMap(value) || isSeq(value) ? key : value;
      if (!isNode(place)) return;
      if (place === key) place.commentBefore = ` ${comment}`;
      else place.comment = ` ${comment}`;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}
