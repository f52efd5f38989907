import type { Network } from "../../kinds/index.ts";
import { autoencoder } from "./autoencoder.ts";
import { efficientnetB0 } from "./efficientnet.ts";
import { lenet5 } from "./lenet5.ts";
import { dsCnn, mobilenetv1Quarter, resnet8 } from "./mlperf-tiny.ts";
import { mobilenetv2 } from "./mobilenetv2.ts";
import { mobilenetv3Small } from "./mobilenetv3.ts";
import type { ZooOptions } from "./options.ts";
import { type CifarResNetOptions, cifarResNet } from "./resnet-cifar.ts";
import { resnet18 } from "./resnet18.ts";
import { smallFcn } from "./small-fcn.ts";
import { type UnetOptions, unet } from "./unet.ts";
import { vgg7 } from "./vgg7.ts";
import { type VitOptions, vitTiny } from "./vit-tiny.ts";

const zoo = {
  lenet5,
  vgg7,
  resnet20: (options: CifarResNetOptions) => cifarResNet("resnet20", 20, options),
  resnet32: (options: CifarResNetOptions) => cifarResNet("resnet32", 32, options),
  resnet56: (options: CifarResNetOptions) => cifarResNet("resnet56", 56, options),
  resnet18,
  mobilenetv2,
  "mobilenetv3-small": mobilenetv3Small,
  "efficientnet-b0": efficientnetB0,
  resnet8,
  "ds-cnn": dsCnn,
  "mobilenetv1-0.25": mobilenetv1Quarter,
  autoencoder,
  "small-fcn": smallFcn,
} as const satisfies Readonly<Record<string, (options: ZooOptions) => Network>>;

/** A network for images that has no options of its own. */
export type NetworkName = keyof typeof zoo;
// The keys of an object that is written out here.
export const networkNames = Object.keys(zoo) as NetworkName[];

/** One that has some, as configurations have it. */
type NetworkWithOptions = ({ readonly name: "unet" } & UnetOptions) | ({ readonly name: "vit-tiny" } & VitOptions);

export type ImageNetwork = { readonly name: NetworkName } | NetworkWithOptions;

/** A network of the zoo for images, by its name in configurations. */
export const createNetwork = (name: NetworkName, options: ZooOptions): Network => zoo[name](options);

/** The same of all of them. */
export function imageNetwork(network: ImageNetwork, options: ZooOptions): Network {
  if (network.name === "unet") return unet({ ...options, ...network });
  if (network.name === "vit-tiny") return vitTiny({ ...options, ...network });
  return createNetwork(network.name, options);
}
