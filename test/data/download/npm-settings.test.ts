import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { UserError } from "../../../src/core/errors.ts";
import { readNpmSettings } from "../../../src/data/download/npm-settings.ts";

const root = t.testdir({ home: {}, project: { "package.json": "{}" } });
const home = join(root, "home");
const cwd = join(root, "project");
const userconfig = join(home, ".npmrc");

t.test("registry, proxy, certificates and credentials come from .npmrc", async (t) => {
  const certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";
  writeFileSync(join(root, "ca.pem"), `${certificate}\n`);
  writeFileSync(
    userconfig,
    `registry=https://mirror.test/npm/\n//mirror.test/npm/:_authToken=\${TOKEN}\nhttps-proxy=http://proxy.test:3128/\ncafile=${join(root, "ca.pem")}\nstrict-ssl=false\n`,
  );
  const settings: object = await readNpmSettings({
    env: { HOME: home, npm_config_userconfig: userconfig, TOKEN: "abc" },
    cwd,
  });
  t.match(settings, {
    registry: "https://mirror.test/npm/",
    "//mirror.test/npm/:_authToken": "abc",
    httpsProxy: "http://proxy.test:3128/",
    ca: [certificate],
    strictSSL: false,
  });
});

t.test("the environment and the project's .npmrc go before the user's", async (t) => {
  writeFileSync(userconfig, "registry=https://user.test/\nproxy=http://user.test:1/\n");
  writeFileSync(join(cwd, ".npmrc"), "registry=https://project.test/\n");
  const env = { HOME: home, npm_config_userconfig: userconfig };
  const project: object = await readNpmSettings({ env, cwd });
  t.match(project, { registry: "https://project.test/", proxy: "http://user.test:1/" });
  const environment: object = await readNpmSettings({ env: { ...env, npm_config_registry: "https://env.test/" }, cwd });
  t.match(environment, { registry: "https://env.test/" });
});

t.test("what cannot be read is an error for users", async (t) => {
  const asFolder = join(root, "folder.npmrc");
  mkdirSync(asFolder);
  const cafile = { HOME: home, npm_config_userconfig: userconfig, npm_config_cafile: asFolder };
  await t.rejects(readNpmSettings({ env: cafile, cwd }), UserError);
});
