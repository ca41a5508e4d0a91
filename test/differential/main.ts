import type { Family } from '#libs/model';
import { Random } from './random.js';
import type { CheckResult } from './netfilter/compare-with-kernel.js';
import { FIRST_PORT } from './netfilter/flow.js';
import { checkIptables, describeIptables, shrinkIptables } from './netfilter/iptables-check.js';
import { randomIptablesCase } from './netfilter/iptables-generator.js';
import { checkNft, describeNft, shrinkNft } from './netfilter/nft-check.js';
import { randomNftCase } from './netfilter/nft-generator.js';
import { checkRouting, describeRouting, shrinkRouting } from './routing/routing-check.js';
import { randomRoutingCase } from './routing/routing-generator.js';
import { SUITES, type Suite } from './suites.js';
import { removeNamespaces } from './world/namespaces.js';
import { Router } from './world/router.js';
import { whyNoDifferential } from './world/why-not.js';

const USAGE = `npm run differential [-- --suite NAME]... [--seed N] [--cases N] [--stop-after N]
  random rule sets, routes and rules, applied to this machine's kernel and to hopscope; any difference is shrunk and printed
  --suite NAME    only this one (${SUITES.join(', ')})
  --seed N        first seed (1): case i has seed N + i
  --cases N       cases per suite (60); a case is 40 connections, or 120 route decisions
  --stop-after N  shrink and print at most N failing cases per suite (3)
  --shrink 0      print failing cases as they are, and go on to the last case`;

interface Options {
  readonly suites: readonly Suite[];
  readonly seed: number;
  readonly cases: number;
  readonly stopAfter: number;
  readonly shrinks: boolean;
}

function parseOptions(argv: readonly string[]): Options {
  const args = [...argv];
  const suites: Suite[] = [];
  const numbers = { '--seed': 1, '--cases': 60, '--stop-after': 3, '--shrink': 1 };
  for (let arg = args.shift(); arg !== undefined; arg = args.shift()) {
    const value = args.shift() ?? '';
    const suite = SUITES.find((name) => name === value);
    if (arg === '--suite' && suite !== undefined) suites.push(suite);
    else if (arg in numbers && /^\d+$/.test(value)) Object.assign(numbers, { [arg]: Number(value) });
    else throw new Error(`differential: ${arg} ${value} is not understood\n${USAGE}`);
  }
  return {
    suites: suites.length === 0 ? SUITES : suites,
    seed: numbers['--seed'],
    cases: numbers['--cases'],
    stopAfter: numbers['--stop-after'],
    shrinks: numbers['--shrink'] !== 0,
  };
}

async function withRouter<T>(family: Family, act: (router: Router) => Promise<T>): Promise<T> {
  const router = Router.build(family);
  try {
    return await act(router);
  } finally {
    await router.remove();
  }
}

/** A case of a suite, and what can be done with it. */
interface Trial {
  check(router: Router): Promise<CheckResult>;
  /** The smallest case that still differs, as text, with its differences. */
  shrink(): Promise<string>;
}

const FLOWS = 40;
/** After so many cases the router is built anew, so that no connection has the source port of an older one. */
const CASES_PER_ROUTER = 25;

function makeTrial(suite: Exclude<Suite, 'route' | 'route6'>, seed: number, sport: number): Trial {
  const random = new Random(seed);
  switch (suite) {
    case 'nft-ip':
    case 'nft-inet':
    case 'nft-ip6': {
      const family = suite === 'nft-ip' ? 'ip' : suite === 'nft-inet' ? 'inet' : 'ip6';
      const one = randomNftCase(random, { family, flows: FLOWS, sport });
      return trial(one, family === 'ip6' ? 6 : 4, checkNft, shrinkNft, describeNft);
    }
    default: {
      const family = suite.startsWith('ip6') ? 6 : 4;
      const one = randomIptablesCase(random, {
        backend: suite.endsWith('nft') ? 'nft' : 'legacy',
        family,
        flows: FLOWS,
        sport,
      });
      return trial(one, family, checkIptables, shrinkIptables, describeIptables);
    }
  }
}

function trial<T>(
  one: T,
  family: Family,
  check: (router: Router, one: T) => Promise<CheckResult>,
  shrink: (one: T, build: <R>(act: (router: Router) => Promise<R>) => Promise<R>) => Promise<T>,
  describe: (one: T) => string,
): Trial {
  return {
    check: (router) => check(router, one),
    shrink: async () => {
      const small = await shrink(one, (act) => withRouter(family, act));
      const { differences } = await withRouter(family, (router) => check(router, small));
      return [describe(small), ...differences].join('\n');
    },
  };
}

interface Outcome {
  readonly compared: number;
  readonly failed: number;
  readonly refused: number;
}

async function runNetfilter(suite: Exclude<Suite, 'route' | 'route6'>, options: Options): Promise<Outcome> {
  let compared = 0;
  let failed = 0;
  let refused = 0;
  const family = suite === 'nft-ip6' || suite.startsWith('ip6') ? 6 : 4;
  let router = Router.build(family);
  for (let i = 0; i < options.cases; i++) {
    if (i % CASES_PER_ROUTER === 0 && i > 0) {
      await router.remove();
      router = Router.build(family);
    }
    const seed = options.seed + i;
    const one = makeTrial(suite, seed, FIRST_PORT + (i % CASES_PER_ROUTER) * FLOWS);
    const result = await one.check(router);
    compared += result.traversals;
    if (result.refused !== undefined) {
      refused++;
      console.log(`${suite} seed ${seed}: not taken by the kernel's tools: ${result.refused.trim().slice(0, 400)}`);
    }
    if (result.differences.length === 0) continue;
    failed++;
    console.log(`${suite} seed ${seed}:\n  ${result.differences.slice(0, 6).join('\n  ')}`);
    if (!options.shrinks) continue;
    if (failed > options.stopAfter) break;
    await router.remove();
    console.log(`smallest case:\n${await one.shrink()}\n`);
    router = Router.build(family);
  }
  await router.remove();
  return { compared, failed, refused };
}

async function runRouting(suite: 'route' | 'route6', options: Options): Promise<Outcome> {
  let compared = 0;
  let failed = 0;
  for (let i = 0; i < options.cases; i++) {
    const seed = options.seed + i;
    const one = randomRoutingCase(new Random(seed), suite === 'route6' ? 6 : 4, 120);
    const result = checkRouting(one);
    compared += result.decisions;
    if (result.differences.length === 0) continue;
    failed++;
    console.log(`${suite} seed ${seed}:\n  ${result.differences.slice(0, 6).join('\n  ')}`);
    if (!options.shrinks) continue;
    if (failed > options.stopAfter) break;
    const small = await shrinkRouting(one);
    console.log(`smallest case:\n${describeRouting(small)}\n${checkRouting(small).differences.join('\n')}\n`);
  }
  return { compared, failed, refused: 0 };
}

async function main(options: Options): Promise<boolean> {
  let agreed = true;
  for (const suite of options.suites) {
    const began = Date.now();
    const { compared, failed, refused } = await (suite === 'route' || suite === 'route6'
      ? runRouting(suite, options)
      : runNetfilter(suite, options));
    const seconds = ((Date.now() - began) / 1000).toFixed(1);
    console.log(`${suite}: ${compared} compared, ${failed} cases differ, ${refused} refused, ${seconds} s`);
    agreed &&= failed === 0;
  }
  return agreed;
}

const reason = whyNoDifferential();
if (reason === undefined)
  try {
    const options = parseOptions(process.argv.slice(2));
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => {
        removeNamespaces();
        process.exit(130);
      });
    process.exitCode = (await main(options)) ? 0 : 1;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  } finally {
    removeNamespaces();
  }
else console.log(`skipped: ${reason}`);
