// `npm run fuzz:policy [-- FLOWS [SEED]]`: random policies and flows, our evaluator against one that only follows the API documentation.
import { compare } from './compare.js';
import { objectsOf, type Language } from './random-world.js';

const SUITES: readonly { readonly name: string; readonly languages: readonly Language[] }[] = [
  { name: 'NetworkPolicy', languages: ['kubernetes'] },
  { name: 'admin policies', languages: ['kubernetes', 'admin'] },
  { name: 'Calico', languages: ['calico'] },
  { name: 'all together', languages: ['kubernetes', 'admin', 'calico'] },
];
const FLOWS_PER_WORLD = 20;

const flows = Number(process.argv[2] ?? 400_000);
const seed = Number(process.argv[3] ?? 1);
let different = 0;
for (const { name, languages } of SUITES) {
  const began = performance.now();
  const worlds = Math.ceil(flows / SUITES.length / FLOWS_PER_WORLD);
  const { allowed, denied, differences, flows: asked } = compare(languages, seed, worlds, FLOWS_PER_WORLD);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(
    `${name}: ${worlds} clusters, ${asked} flows (${allowed} directions allowed, ${denied} denied), ${differences.length} differences, ${seconds} s`,
  );
  different += differences.length;
  const [first] = differences;
  if (first !== undefined)
    console.log(
      `  seed ${first.seed}: ours ${first.ours}, theirs ${first.theirs}\n  ${JSON.stringify(first.question)}\n${objectsOf(
        first.world,
      )
        .map((object) => `  ${JSON.stringify(object)}`)
        .join('\n')}`,
    );
}
process.exitCode = different === 0 ? 0 : 1;
