// `npm run bench:collector`: how long collect.sh takes for nodes with many interfaces, pods and services. Needs root on Linux.
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectHere } from '#libs/collector';
import { kubeProxyRules } from '../fixtures/kube-proxy-rules.js';
import { PodNamespaces } from './pod-namespaces.js';

const INTERFACES = [10, 100, 250] as const;
const SERVICES = [0, 10_000] as const;
/** What one question about a pair of pods needs. */
const WANTED = 2;

async function main(): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'hopscope-collect-bench-'));
  console.log(`collect.sh on ${cpus().length} cores, 2 namespaces at a time`);
  console.log('| pods with interfaces | services | pods read | seconds | MiB | files |');
  console.log('| ---: | ---: | ---: | ---: | ---: | ---: |');
  try {
    for (const services of SERVICES) for (const interfaces of INTERFACES) await measure(interfaces, services, scratch);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function measure(interfaces: number, services: number, scratch: string): Promise<void> {
  const lab = await PodNamespaces.open('bench');
  try {
    await lab.add('node');
    const pods = Array.from({ length: interfaces }, (_, index) => ({
      namespace: 'shop',
      name: `p${index}`,
      uids: [],
      ips: [`10.98.${Math.floor(index / 250)}.${(index % 250) + 1}`],
    }));
    for (const { name, ips } of pods) {
      await lab.addPod('node', name, [`${ips[0]}/16`]);
      lab.run(name);
    }
    if (services > 0) {
      const file = join(scratch, 'rules');
      writeFileSync(file, kubeProxyRules(services));
      await lab.in('node', 'iptables-nft-restore', file);
    }
    for (const wanted of [WANTED, interfaces]) {
      const began = process.hrtime.bigint();
      const dump = await collectHere({
        cluster: 'bench',
        node: 'node1',
        hostNamespace: lab.path('node'),
        root: '/',
        pods: pods.slice(0, wanted),
      });
      const seconds = Number(process.hrtime.bigint() - began) / 1e9;
      const read = dump.pods.filter(({ outcome }) => outcome === 'dumped').length;
      if (read !== wanted || dump.error !== null || dump.truncated)
        throw new Error(`${read} of ${wanted} pods were read (${dump.error ?? 'no error'})`);
      const files = dump.dumps.reduce((sum, each) => sum + each.files.size, 0);
      console.log(
        `| ${interfaces} | ${services} | ${read} | ${seconds.toFixed(1)} | ${(dump.bytes / 1048576).toFixed(1)} | ${files} |`,
      );
    }
  } finally {
    await lab.close();
  }
}

await main();
