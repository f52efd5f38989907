import { cacheFolder } from "../../core/cache-folder.ts";
import { type PinnedWheel, platform } from "./wheels.ts";

/** A wheel of NVIDIA's with libraries that TensorFlow's kernels for a GPU load. */
export interface CudaWheel extends PinnedWheel {
  /** Its folder below `nvidia`, where TensorFlow or another of these libraries looks for it. */
  readonly folder: string;
  /** Libraries that TensorFlow opens before it uses a GPU: it uses none where one of them is missing. */
  readonly opens: readonly string[];
}

const common = { python: "3.11", opens: [] } as const;

/**
 * The wheels that TensorFlow 2.21.0 names in its extra `and-cuda`: 2.8 GB, and 4.2 GB unpacked. Of the versions that it
 * admits, CUDA 12.9 is the last 12; cuDNN 9.10.2 is the last for all GPUs that TensorFlow has kernels for, from Pascal
 * on, and has Blackwell's; NCCL 2.27.7 is the oldest, as nothing here uses it.
 */
const linuxX64: readonly CudaWheel[] = [
  {
    ...common,
    project: "nvidia-cuda-runtime-cu12",
    version: "12.9.79",
    platformTag: "manylinux_2_17_x86_64",
    file: "nvidia_cuda_runtime_cu12-12.9.79-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
    sha256: "25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3",
    bytes: 3_493_179,
    unpackedBytes: 800_350,
    folder: "cuda_runtime",
    opens: ["libcudart.so.12"],
  },
  {
    ...common,
    project: "nvidia-cublas-cu12",
    version: "12.9.3.13",
    platformTag: "manylinux_2_27_x86_64",
    file: "nvidia_cublas_cu12-12.9.3.13-py3-none-manylinux_2_27_x86_64.whl",
    sha256: "d7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72",
    bytes: 581_217_458,
    unpackedBytes: 855_123_678,
    folder: "cublas",
    opens: ["libcublas.so.12", "libcublasLt.so.12"],
  },
  {
    ...common,
    project: "nvidia-cufft-cu12",
    version: "11.4.1.4",
    platformTag: "manylinux_2_17_x86_64",
    file: "nvidia_cufft_cu12-11.4.1.4-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
    sha256: "c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28",
    bytes: 200_877_592,
    unpackedBytes: 293_668_678,
    folder: "cufft",
    opens: ["libcufft.so.11"],
  },
  {
    ...common,
    project: "nvidia-cusolver-cu12",
    version: "11.7.5.82",
    platformTag: "manylinux_2_27_x86_64",
    file: "nvidia_cusolver_cu12-11.7.5.82-py3-none-manylinux_2_27_x86_64.whl",
    sha256: "15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88",
    bytes: 338_117_415,
    unpackedBytes: 495_034_326,
    // libtensorflow_framework, which opens it, has no cusolver on its search path, but NVSHMEM's folder, which is free.
    folder: "nvshmem",
    opens: ["libcusolver.so.11"],
  },
  {
    ...common,
    project: "nvidia-cusparse-cu12",
    version: "12.5.10.65",
    platformTag: "manylinux_2_17_x86_64",
    file: "nvidia_cusparse_cu12-12.5.10.65-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
    sha256: "73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78",
    bytes: 366_465_088,
    unpackedBytes: 486_615_630,
    folder: "cusparse",
    opens: ["libcusparse.so.12"],
  },
  {
    ...common,
    project: "nvidia-cudnn-cu12",
    version: "9.10.2.21",
    platformTag: "manylinux_2_27_x86_64",
    file: "nvidia_cudnn_cu12-9.10.2.21-py3-none-manylinux_2_27_x86_64.whl",
    sha256: "949452be657fa16687d0930933f032835951ef0892b37d2d53824d1a84dc97a8",
    bytes: 706_758_467,
    unpackedBytes: 1_053_251_134,
    folder: "cudnn",
    opens: ["libcudnn.so.9"],
  },
  {
    ...common,
    project: "nvidia-nvjitlink-cu12",
    version: "12.9.86",
    platformTag: "manylinux_2_12_x86_64",
    file: "nvidia_nvjitlink_cu12-12.9.86-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl",
    sha256: "e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9",
    bytes: 39_748_338,
    unpackedBytes: 95_994_606,
    folder: "nvjitlink",
  },
  {
    ...common,
    project: "nvidia-cuda-nvrtc-cu12",
    version: "12.9.86",
    platformTag: "manylinux_2_12_x86_64",
    file: "nvidia_cuda_nvrtc_cu12-12.9.86-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl",
    sha256: "210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4",
    bytes: 89_568_129,
    unpackedBytes: 227_400_254,
    // cuDNN looks for it there, and not in cuda_nvrtc, as the wheel itself has it.
    folder: "nvrtc",
  },
  {
    ...common,
    project: "nvidia-cuda-nvcc-cu12",
    version: "12.9.86",
    platformTag: "manylinux_2_12_x86_64",
    file: "nvidia_cuda_nvcc_cu12-12.9.86-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl",
    sha256: "5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0",
    bytes: 40_546_229,
    unpackedBytes: 35_476_486,
    folder: "cuda_nvcc",
  },
  {
    ...common,
    project: "nvidia-cuda-cupti-cu12",
    version: "12.9.79",
    platformTag: "manylinux_2_25_x86_64",
    file: "nvidia_cuda_cupti_cu12-12.9.79-py3-none-manylinux_2_25_x86_64.whl",
    sha256: "096bcf334f13e1984ba36685ad4c1d6347db214de03dbb6eebb237b41d9d934f",
    bytes: 10_814_997,
    unpackedBytes: 43_425_030,
    folder: "cuda_cupti",
  },
  {
    ...common,
    project: "nvidia-curand-cu12",
    version: "10.3.10.19",
    platformTag: "manylinux_2_27_x86_64",
    file: "nvidia_curand_cu12-10.3.10.19-py3-none-manylinux_2_27_x86_64.whl",
    sha256: "49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e",
    bytes: 68_295_626,
    unpackedBytes: 167_024_694,
    folder: "curand",
  },
  {
    ...common,
    project: "nvidia-nccl-cu12",
    version: "2.27.7",
    platformTag: "manylinux_2_17_x86_64",
    file: "nvidia_nccl_cu12-2.27.7-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
    sha256: "de5ba5562f08029a19cb1cd659404b18411ed0d6c90ac5f52f30bf99ad5809aa",
    bytes: 322_546_339,
    unpackedBytes: 430_128_087,
    folder: "nccl",
  },
];

/** None where TensorFlow has no kernels for a GPU. */
export const cudaWheelsFor = (on: string = platform): readonly CudaWheel[] => (on === "linux-x64" ? linuxX64 : []);

/**
 * Beside the engines' folders: TensorFlow's libraries have `$ORIGIN/../../nvidia/FOLDER/lib` on their search path, so the
 * loader finds what lies there and nothing needs to be preloaded. Without arguments, the folder of all of them.
 */
export const cudaFolder = (wheel?: CudaWheel): string =>
  wheel === undefined ? cacheFolder("engine", "nvidia") : cacheFolder("engine", "nvidia", wheel.folder);
