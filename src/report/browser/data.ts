/** The exact values that stand in the page beside each drawing, as JSON: what the charts write and the script reads. */

/** Of a chart with an axis of categories: every series has a value, or none, at each. */
export interface AxisData {
  /** What the categories are, singular: "epoch", "layer". */
  readonly category: string;
  /** Said after every value: " %"; empty for plain numbers. */
  readonly unit: string;
  readonly categories: readonly string[];
  readonly series: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
}

/** A name and what is told of it. */
export type Line = readonly [name: string, value: string];

/** What hover and arrow keys tell of one mark. */
export interface Mark {
  readonly title: string;
  readonly lines: readonly Line[];
  /** Id in the page of what tells more of it. */
  readonly goesTo?: string;
}

/** Of a picture made of marks, whose elements carry `data-i`, their index. */
export interface MarkData {
  readonly marks: readonly Mark[];
  /** Of marks that stand in rows: how many are in each, which keys up and down go by. */
  readonly columns?: number;
}

/** By what the runs of a comparison may be picked. */
export interface FilterData {
  readonly fields: readonly { readonly name: string; readonly options: readonly string[] }[];
  /** Of each run, for each field: its options. */
  readonly runs: readonly (readonly (readonly number[])[])[];
}

/** Of strips, which carry `data-strip`: the block's id, the row and the key in it. */
export interface StripData {
  /** What a cell is, singular: "epoch", "channel". */
  readonly category: string;
  /** By key: what a value is. */
  readonly unit: Readonly<Record<string, string>>;
  /** Names of the cells; their number from 1 if left out. */
  readonly labels?: readonly number[];
  readonly rows: readonly Readonly<Record<string, readonly number[]>>[];
}
