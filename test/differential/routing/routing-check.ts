import { ipOf } from '../netfilter/flow.js';
import { shrinkList } from '../shrink.js';
import { removeNamespaces } from '../world/namespaces.js';
import { askHopscope, namespaceOf } from './hopscope-answer.js';
import { askKernel } from './kernel-answer.js';
import { buildRoutes, dumpRoutes } from './route-world.js';
import { questionLine, type RoutingCase } from './routing-case.js';

export interface RoutingResult {
  readonly decisions: number;
  readonly differences: readonly string[];
}

/** Asks the kernel and hopscope the same questions about the same tables. */
export function checkRouting(one: RoutingCase): RoutingResult {
  buildRoutes(one);
  try {
    const ns = namespaceOf(dumpRoutes());
    // A socket sends from an address of its host: `ip route get from` refuses others.
    const questions = one.questions.filter(
      ({ src, iif }) => src === undefined || iif !== undefined || ns.owns(ipOf(src)) !== undefined,
    );
    const kernel = askKernel({ ...one, questions });
    const differences = questions.flatMap((question, index) => {
      const answers = askHopscope(ns, question);
      const truth = kernel[index] ?? 'nothing';
      return answers.includes(truth)
        ? []
        : [`ip ${questionLine(question)}: kernel "${truth}", hopscope "${answers.join('" or "')}"`];
    });
    return { decisions: questions.length, differences };
  } finally {
    removeNamespaces();
  }
}

export async function shrinkRouting(one: RoutingCase): Promise<RoutingCase> {
  let best = one;
  for (const part of ['questions', 'rules', 'routes', 'links', 'addresses'] as const) {
    const kept = await shrinkList<unknown>(best[part], (list) =>
      Promise.resolve(checkRouting({ ...best, [part]: list }).differences.length > 0),
    );
    best = { ...best, [part]: kept };
  }
  const sysctls = await shrinkList(Object.entries(best.sysctls), (list) =>
    Promise.resolve(checkRouting({ ...best, sysctls: Object.fromEntries(list) }).differences.length > 0),
  );
  return { ...best, sysctls: Object.fromEntries(sysctls) };
}

export function describeRouting(one: RoutingCase): string {
  const sysctls = Object.entries(one.sysctls).map(([key, value]) => `sysctl ${key}=${value}`);
  return [...sysctls, ...one.addresses, ...one.routes, ...one.rules, ...one.links.map((link) => `link ${link}`)].join(
    '\n',
  );
}
