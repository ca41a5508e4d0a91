import type { NetNamespace } from '#libs/netstack';
import { expectedCases, type Case, type Expected, type Frontend } from './expected-branches.js';
import type { ClusterObjects, Mode } from './kube-proxy-case.js';
import { walkFrontend, type Walked } from './walked-branches.js';

/** kube-proxy prints probabilities with ten digits. */
const TOLERANCE = 1e-6;

export interface Comparison {
  readonly services: number;
  readonly frontends: number;
  readonly cases: number;
  readonly branches: number;
  readonly differences: readonly string[];
}

/** Every service port from every origin: the branches of the walk against the ready endpoints. */
export function compareBranches(ns: NetNamespace, objects: ClusterObjects, mode: Mode): Comparison {
  const differences: string[] = [];
  const services = new Set<string>();
  const frontends = new Set<string>();
  let branches = 0;
  const cases = expectedCases(objects, mode);
  for (const one of cases) {
    const { service, ip, port, protocol } = one.frontend;
    services.add(service);
    frontends.add(`${ip} ${port} ${protocol}`);
    const walked = walkFrontend(ns, one.frontend, one.origin);
    branches += walked.outcomes.size;
    differences.push(...differencesOf(one, walked).map((text) => `${titleOf(one)}: ${text}`));
  }
  return { services: services.size, frontends: frontends.size, cases: cases.length, branches, differences };
}

function titleOf({ frontend: { service, kind, ip, port, protocol }, origin }: Case): string {
  return `${service} ${kind} ${ip}:${port}/${protocol} from ${origin}`;
}

function differencesOf({ expected, frontend }: Case, { outcomes, guesses }: Walked): string[] {
  const wanted = wantedOutcomes(expected, frontend);
  const found = [...outcomes].map(([key, probability]) => `${key} (${probability.toFixed(6)})`).join(', ');
  const wrong =
    outcomes.size !== wanted.size ||
    [...wanted].some(([key, probability]) => Math.abs((outcomes.get(key) ?? -1) - probability) > TOLERANCE);
  return [
    ...(wrong ? [`walked to ${found}; expected ${[...wanted.keys()].join(', ')}`] : []),
    ...guesses.map((guess) => `had to guess ${guess}`),
  ];
}

function wantedOutcomes(expected: Expected, { ip, port }: Frontend): Map<string, number> {
  switch (expected.kind) {
    case 'dropped':
      return new Map([['denied', 1]]);
    case 'rejected':
      return new Map([['rejected', 1]]);
    case 'untouched':
      return new Map([[`${ip}:${port}`, 1]]);
    case 'backends':
      return new Map(expected.backends.map((backend) => [backend, 1 / expected.backends.length]));
  }
}
