import t from "tap";
import { availableMemory, requireAddresses } from "../../src/core/available-memory.ts";

const KIB = 1024;
interface Folder {
  readonly [name: string]: string | Folder;
}
/** A system with 1000 kB available and these groups. */
const system = (cgroup: string, groups: Folder) => ({
  proc: { meminfo: "MemTotal: 9999 kB\nMemAvailable:    1000 kB\n", self: { cgroup } },
  sys: { fs: { cgroup: groups } },
});

t.test("without limits it is what the system has available", async (t) => {
  t.equal(availableMemory(t.testdir(system("0::/\n", {}))), 1000 * KIB);
  const unlimited = { job: { "memory.max": "max\n", "memory.current": "5\n" } };
  t.equal(availableMemory(t.testdir(system("0::/job\n", unlimited))), 1000 * KIB);
});

t.test("a limit counts less what is used of it, file cache aside, on every level of the groups", async (t) => {
  const limit = (max: number, current: number) => ({ "memory.max": `${max}\n`, "memory.current": `${current}\n` });
  const stat = { "memory.stat": "anon 1\ninactive_file 30\nactive_file 20\n" };
  t.equal(availableMemory(t.testdir(system("0::/a/b\n", { a: { b: { ...limit(500, 400), ...stat } } }))), 150);
  t.equal(availableMemory(t.testdir(system("0::/a/b\n", { a: { ...limit(300, 100), b: limit(500, 0) } }))), 200);
  t.equal(availableMemory(t.testdir(system("0::/a\n", { a: limit(100, 200) }))), 0, "never below none");
});

t.test("the first version of the interface", async (t) => {
  const job = {
    "memory.limit_in_bytes": "800\n",
    "memory.usage_in_bytes": "700\n",
    "memory.stat": "inactive_file 1\ntotal_inactive_file 40\ntotal_active_file 10\n",
  };
  const groups = { memory: { "memory.limit_in_bytes": "9223372036854771712\n", "memory.usage_in_bytes": "1\n", job } };
  t.equal(availableMemory(t.testdir(system("5:cpu:/x\n4:memory,other:/job\n", groups))), 150);
  t.equal(availableMemory(t.testdir(system("4:memory:/gone\n", groups))), 1000 * KIB);
});

t.test("a limit of the process's own addresses counts too, and too few are refused at once", async (t) => {
  const limited = (bytes: number | "unlimited") => {
    const { proc, sys } = system("0::/\n", {});
    const limits = `Limit  Soft Limit  Hard Limit  Units\nMax address space         ${bytes}     ${bytes}     bytes\n`;
    return t.testdir({
      sys,
      proc: { ...proc, self: { ...proc.self, limits, status: "Name:\tnode\nVmSize:\t 100 kB\n" } },
    });
  };
  t.equal(availableMemory(limited(500 * KIB)), 400 * KIB);
  t.equal(availableMemory(limited(50 * KIB)), 0);
  t.equal(availableMemory(limited("unlimited")), 1000 * KIB);
  requireAddresses(limited("unlimited"));
  requireAddresses(limited(2 ** 30));
  t.throws(() => requireAddresses(limited(2 ** 29)), {
    name: "UserError",
    message: /^512 MiB of addresses.*ulimit -v/,
  });
  t.throws(() => requireAddresses(limited(2 ** 28)), { message: /^256 MiB of addresses/ });
});

t.test("this machine has some", async (t) => {
  t.ok(availableMemory() > 2 ** 20);
});
