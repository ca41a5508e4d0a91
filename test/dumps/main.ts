import { NetNamespace } from '#libs/netstack';
import { compareBranches } from './compare-branches.js';
import { withoutFrontend } from './expected-branches.js';
import { MODES, readClusterObjects, readNodeDump } from './kube-proxy-case.js';
import { checkCompleteness } from './parsed-completely.js';

const USAGE = `npm run dumps -- FOLDER [MODE...]
  FOLDER  a recording of kube-proxy: api/*.json and node1-<mode>/* (plain, .gz or .zst), such as test/dumps/data/svc1k
  MODE    ${MODES.join(', ')} (all unless given)`;

const [folder, ...names] = process.argv.slice(2);
if (folder === undefined) {
  console.error(USAGE);
  process.exit(2);
}
const objects = readClusterObjects(folder);
console.log(`${objects.services.length} services; without an address: ${withoutFrontend(objects).join(', ')}`);
for (const mode of MODES.filter((one) => names.length === 0 || names.includes(one))) {
  const dump = readNodeDump(folder, mode);
  const began = performance.now();
  const ns = new NetNamespace(dump);
  const parsed = performance.now();
  const memory = Math.round(process.memoryUsage().rss / 2 ** 20);
  const { rules, chains, problems } = checkCompleteness(dump, ns);
  const comparing = performance.now();
  const { services, frontends, cases, branches, differences } = compareBranches(ns, objects, mode);
  const seconds = (from: number, to: number): string => ((to - from) / 1000).toFixed(2);
  console.log(
    `${mode}: parsed and compiled ${chains} chains, ${rules} rules in ${seconds(began, parsed)} s, ${memory} MiB resident; ` +
      `${services} services, ${frontends} addresses and ports, ${cases} questions, ${branches} branches ` +
      `in ${seconds(comparing, performance.now())} s; ${problems.length} not understood, ${differences.length} differences`,
  );
  for (const text of [...problems, ...differences].slice(0, 40)) console.log(`  ${text}`);
  if (problems.length + differences.length > 0) process.exitCode = 1;
}
