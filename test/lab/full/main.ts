import { removeLabNamespaces, withLab } from '../netns/lab-namespaces.js';
import { whyNoLab } from '../netns/why-no-lab.js';
import { CLUSTERS } from './clusters.js';
import { runInLab } from './lab-run.js';

async function main(): Promise<boolean> {
  let ok = true;
  for (const cluster of CLUSTERS.filter(({ name }) => name.includes(process.argv[2] ?? ''))) {
    const run = await runInLab(cluster, undefined, { thorough: true, keepAs: `/tmp/l4x/${cluster.name}.tar.gz` });
    console.log(
      `${cluster.name}: ${run.probes} probes, ${run.failing} failing, ${run.disagreements.length} disagree, ${run.falseAlarms.length} false alarms`,
      JSON.stringify(run.seconds),
    );
    for (const { probe, text } of [...run.disagreements, ...run.falseAlarms])
      console.log(
        `  ${probe.kind} ${probe.pair.source} -> ${probe.pair.destination}:${probe.pair.port}/${probe.pair.protocol} ${text}`,
      );
    ok &&= run.disagreements.length + run.falseAlarms.length === 0;
  }
  return ok;
}

const reason = whyNoLab();
if (reason === undefined)
  try {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => void removeLabNamespaces().finally(() => process.exit(130)));
    process.exitCode = (await withLab(main)) ? 0 : 1;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
else console.log(`skipped: ${reason}`);
