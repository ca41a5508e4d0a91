import { KubeProxy } from '#libs/kube-proxy';
import { NetNamespace } from '#libs/netstack';
import { findForgeries, forgeOf } from './find-forgeries.js';
import { MODES, readNodeDump } from './kube-proxy-case.js';
import { readClusterIndex } from './recorded-cluster.js';

const USAGE = `npm run dumps:forge -- FOLDER [ROUNDS [MODE...]]
  FOLDER  a recording of kube-proxy, such as test/dumps/data/svc1k
  ROUNDS  in each round one rule of every service is forged (all rules unless given)
  MODE    ${MODES.join(', ')} (all unless given)`;

const [folder, rounds = 'all', ...names] = process.argv.slice(2);
if (folder === undefined) {
  console.error(USAGE);
  process.exit(2);
}
const cluster = readClusterIndex(folder);
for (const mode of MODES.filter((one) => names.length === 0 || names.includes(one))) {
  const dump = readNodeDump(folder, mode);
  const clean = new KubeProxy(cluster).on(new NetNamespace(dump)).checkAll();
  const began = performance.now();
  const forge = forgeOf(dump, mode, cluster, 1);
  const limit = rounds === 'all' ? Number.POSITIVE_INFINITY : Number(rounds);
  const { forged, missed, innocent } = findForgeries(forge, cluster, 1, limit);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(
    `${mode}: untouched ${clean.findings.length} findings, ${clean.skipped.length} not compared; ` +
      `${forged} rules forged, ${forged - missed.length} found and named, ${innocent.length} innocent services blamed, ${seconds} s`,
  );
  const kinds = new Map<string, number>();
  for (const { kind, chain } of missed) {
    const key = `${kind} in ${chain.replace(/-[A-Z0-9]{8,16}.*/, '-*')}`;
    kinds.set(key, (kinds.get(key) ?? 0) + 1);
  }
  for (const [kind, count] of kinds) console.log(`  missed ${count} × ${kind}`);
  for (const one of missed.slice(0, 10))
    console.log(`  ${one.service} ${one.kind}: ${one.rule} => ${one.becomes ?? ''}`);
  for (const one of innocent.slice(0, 10)) console.log(`  blamed for nothing: ${one}`);
  if (clean.findings.length + missed.length + innocent.length > 0) process.exitCode = 1;
}
