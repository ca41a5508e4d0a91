import { parseIptablesSave } from '../libs/netstack/src/parse/iptables-save.js';
import { ADDRESSES, compareAll } from './agreement.js';
import { kubeProxyRules } from '../test/fixtures/kube-proxy-rules.js';
import { sideBySide } from './measure.js';
import { indexedTraversal, linearTraversal, nodeWalk } from './node-traversal.js';
import { resultsPerSecond } from './results-per-second.js';
import { verdictMatrix } from './verdict-matrix.js';

const USAGE =
  'npm run bench [-- --packets N]   the ratios of the engine, side by side in one run (N: packets of the agreement, 1000000)';

const SIZES = [10, 1000, 10_000] as const;

/** Megabytes of iptables-save text read in a second: the best of some runs, as memory is cleaned in between. */
function parserSpeed(parse: (file: string, text: string) => unknown): number {
  const text = kubeProxyRules(10_000);
  let best = 0;
  for (let i = 0; i < 12; i++) {
    const began = performance.now();
    parse('bench', text);
    best = Math.max(best, text.length / 1e6 / ((performance.now() - began) / 1000));
  }
  return best;
}

class Report {
  private missed = 0;

  get allReached(): boolean {
    return this.missed === 0;
  }

  /** `reached` undefined: a number to know, not a goal. */
  line(what: string, value: string, goal = '', reached?: boolean): void {
    if (reached === false) this.missed += 1;
    const mark = reached === undefined ? '' : reached ? 'ok' : 'NOT REACHED';
    console.log(`${what.padEnd(58)} ${value.padStart(20)}   ${goal.padEnd(24)} ${mark}`.trimEnd());
  }
}

function walks(report: Report): void {
  const costs = sideBySide(SIZES.map((size) => nodeWalk(size)));
  const [small = 0, , large = 0] = costs.values();
  const all = [...costs.values()].map((us) => us.toFixed(2)).join(' / ');
  report.line('walk with 10 / 1,000 / 10,000 services, µs', all);
  report.line('cost(10,000 services) / cost(10)', (large / small).toFixed(2), '<= 1.5', large / small <= 1.5);
}

function traversals(report: Report): void {
  const indexed = [...sideBySide(SIZES.map((size) => indexedTraversal(size))).values()];
  report.line('three hooks with 10 / 1,000 / 10,000 services, µs', indexed.map((us) => us.toFixed(2)).join(' / '));
  for (const [mix, what, goal] of TRAVERSALS) {
    const [fast = 0, slow = 0] = sideBySide([indexedTraversal(1000, mix), linearTraversal(1000, mix)]).values();
    const ratio = slow / fast;
    report.line(
      `linear / indexed, 1,000 services, ${what}, µs`,
      `${slow.toFixed(0)} / ${fast.toFixed(2)} = ${ratio.toFixed(0)}x`,
      goal === undefined ? '' : `>= ${goal}x`,
      goal === undefined ? undefined : ratio >= goal,
    );
  }
}

async function matrix(report: Report, compared: number): Promise<void> {
  const { full, cell, cells, unreachable, differing } = await verdictMatrix(compared);
  const ratio = full / cell;
  report.line(
    'full result / cell of the verdict matrix of 1,000 pods, µs',
    `${full.toFixed(0)} / ${cell.toFixed(1)} = ${ratio.toFixed(1)}x`,
    '>= 5x',
    ratio >= 5,
  );
  report.line('cells, and those that are not reachable', `${cells}, ${unreachable}`);
  report.line(
    `cells of ${compared} that differ from the full result`,
    String(differing.length),
    '0',
    differing.length === 0,
  );
  for (const pair of differing.slice(0, 10)) console.log(pair);
}

const TRAVERSALS = [
  ['bulk', 'packets of a bulk', 250],
  ['pods', 'packets to pods', undefined],
  ['services', 'packets to services', undefined],
] as const;

async function main(packets: number): Promise<boolean> {
  const report = new Report();
  walks(report);
  traversals(report);
  const speed = parserSpeed(parseIptablesSave);
  report.line('iptables-save parser, MB/s', speed.toFixed(0), '>= 80', speed >= 80);
  const results = await resultsPerSecond(1000, 2000);
  report.line('complete results/s on one core at 1,000 services', results.toFixed(0), '>= 20,000 (informative)');
  await matrix(report, Math.min(10_000, packets));
  const problems = compareAll(packets, 11, kubeProxyRules(20), ADDRESSES);
  report.line(
    `indexed and linear walker on ${packets} random packets`,
    problems.length === 0 ? 'agree' : 'differ',
    '0 differences',
    problems.length === 0,
  );
  for (const problem of problems) console.log(problem);
  return report.allReached;
}

const [option, value = '1000000', ...others] = process.argv.slice(2);
if ((option !== undefined && option !== '--packets') || !/^\d+$/.test(value) || others.length > 0) {
  console.error(USAGE);
  process.exitCode = 2;
} else process.exitCode = (await main(Number(value))) ? 0 : 1;
