import { create } from "@bufbuild/protobuf";
import {
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProtoSchema,
} from "./generated/onnx_pb.ts";
import { encodeModelProto, type Model, readModel, withGraph } from "./onnx-model.ts";

/** A model as bytes. */
export interface EncodedModel {
  readonly bytes: Uint8Array;
  /** Weights that the message has no room for: the tensor that says `location` holds these bytes. */
  readonly beside: readonly { readonly location: string; readonly data: Uint8Array }[];
}

/** Bytes of a protobuf message, at most. */
const LARGEST_MESSAGE = 2 ** 31 - 1;
/** Of what is no weight of at least `SMALLEST_BESIDE` bytes. */
const ROOM = 2 ** 24;
/** Smaller tensors stay in the message. */
const SMALLEST_BESIDE = 1024;
/** Where weights begin in a file of their own, so that it can be mapped into memory: multiples of this. */
const PAGE = 4096;

/**
 * Encodes a model; where it is larger than a protobuf message may be, its weights stand beside it.
 *
 * @param largest Bytes that the message may have.
 */
export function encodeModel(model: Model, { largest = LARGEST_MESSAGE }: { largest?: number } = {}): EncodedModel {
  const { initializer } = model.graph;
  const weights = initializer.reduce((sum, { rawData }) => sum + rawData.length, 0);
  if (weights + ROOM <= largest) {
    const bytes = encodeModelProto(model);
    if (bytes.length <= largest) return { bytes, beside: [] };
  }
  const beside: { location: string; data: Uint8Array }[] = [];
  const tensors = initializer.map((tensor) => {
    if (tensor.rawData.length < SMALLEST_BESIDE) return tensor;
    const location = `weight-${beside.length}`;
    beside.push({ location, data: tensor.rawData });
    return external(tensor, { location });
  });
  return { bytes: encodeModelProto(withGraph(model, { initializer: tensors })), beside };
}

/** Bytes of a model's files, by the usual name of the second. */
export function writtenLength(encoded: EncodedModel): number {
  const { bytes, beside } = inOneFile(encoded, "model.onnx_data");
  return beside.reduce((sum, { length }) => sum + length, bytes.length);
}

/**
 * A model as its files hold it: all that stands beside it is in one file.
 *
 * @param location The name of that file, which lies in the model's own folder.
 * @returns The model's bytes, and the parts of the other file in order; none where there is no need of it.
 */
export function inOneFile(
  { bytes, beside }: EncodedModel,
  location: string,
): { readonly bytes: Uint8Array; readonly beside: readonly Uint8Array[] } {
  if (beside.length === 0) return { bytes, beside: [] };
  const model = readModel(bytes, location);
  const data = new Map(beside.map((one) => [one.location, one.data]));
  const parts: Uint8Array[] = [];
  let offset = 0;
  model.graph.initializer = model.graph.initializer.map((tensor) => {
    const own = data.get(externalEntry(tensor, "location") ?? "");
    if (own === undefined) return tensor;
    const padding = Math.ceil(offset / PAGE) * PAGE - offset;
    offset += padding;
    const placed = external(tensor, { location, offset: `${offset}`, length: `${own.length}` });
    parts.push(new Uint8Array(padding), own);
    offset += own.length;
    return placed;
  });
  return { bytes: encodeModelProto(model), beside: parts };
}

/** What a tensor says of where its bytes lie. */
export const externalEntry = ({ externalData }: TensorProto, wanted: string): string | undefined =>
  externalData.find(({ key }) => key === wanted)?.value;

const external = (tensor: TensorProto, place: Readonly<Record<string, string>>): TensorProto =>
  Object.assign(create(TensorProtoSchema), tensor, {
    rawData: new Uint8Array(),
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: Object.entries(place).map(([key, value]) => create(StringStringEntryProtoSchema, { key, value })),
  });
