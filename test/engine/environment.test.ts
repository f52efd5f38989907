import t from "tap";
import { defaultThreads, describeMachine, parseCpuinfo, parseSysctl } from "../../src/engine/environment.ts";

t.test("instruction sets are read as Linux writes them for x86 and for ARM", async (t) => {
  const x86 =
    "processor\t: 0\nflags\t\t: fpu avx2 avx512f avx512_bf16 amx_bf16\nbugs\t\t: avx512_vnni\n\nprocessor\t: 1\n";
  t.strictSame(parseCpuinfo(x86), ["avx2", "avx512f", "avx512_bf16", "amx_bf16"]);
  t.strictSame(parseCpuinfo("Features\t: fp asimd asimddp i8mm bf16 sve2\n"), [
    "asimd",
    "asimddp",
    "bf16",
    "i8mm",
    "sve2",
  ]);
  t.strictSame(parseCpuinfo(""), []);
});

t.test("instruction sets are read as macOS writes them, by Linux's names", async (t) => {
  const arm = "hw.optional.arm.FEAT_BF16: 1\nhw.optional.arm.FEAT_DotProd: 1\nhw.optional.arm.FEAT_I8MM: 0\n";
  t.strictSame(parseSysctl(arm), ["asimddp", "bf16"]);
  t.strictSame(parseSysctl("hw.optional.avx2_0: 1\nhw.optional.avx512f: 1\nhw.optional.fma: 0\n"), ["avx2", "avx512f"]);
});

t.test("this machine has a name, a processor and cores", async (t) => {
  const { node, platform, cpu } = describeMachine();
  t.equal(node, process.version);
  t.equal(platform, `${process.platform}-${process.arch}`);
  t.not(cpu, "");
  t.ok(defaultThreads() >= 1);
});
