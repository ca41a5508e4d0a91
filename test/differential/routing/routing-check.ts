import type { NetNamespace } from '#libs/netstack';
import { ipOf } from '../netfilter/flow.js';
import { shrinkList } from '../shrink.js';
import { removeNamespaces } from '../world/namespaces.js';
import { askHopscope, namespaceOf } from './hopscope-answer.js';
import { askKernel, choosesSource } from './kernel-answer.js';
import { buildRoutes, dumpRoutes } from './route-world.js';
import { questionLine, type RouteQuestion, type RoutingCase } from './routing-case.js';

export interface RoutingResult {
  readonly decisions: number;
  readonly differences: readonly string[];
}

/** Asks the kernel and hopscope the same questions about the same tables. */
export function checkRouting(one: RoutingCase): RoutingResult {
  buildRoutes(one);
  try {
    const ns = namespaceOf(dumpRoutes());
    const questions = one.questions.filter((question) => canBeAsked(ns, question)).map(asSocketsAsk);
    const kernel = askKernel({ ...one, questions });
    let decisions = 0;
    const differences = questions.flatMap((question, index) => {
      const truth = kernel[index];
      if (truth === undefined) return [];
      decisions++;
      const answers = askHopscope(ns, question);
      return answers.includes(truth)
        ? []
        : [`ip ${questionLine(question)}: kernel "${truth}", hopscope "${answers.join('" or "')}"`];
    });
    return { decisions, differences };
  } finally {
    removeNamespaces();
  }
}

function canBeAsked(ns: NetNamespace, { src, iif, oif, dst }: RouteQuestion): boolean {
  // ip6_rcv_core() drops it before any route is looked up; `ip route get` does not know.
  if (iif !== undefined) return dst !== '::1' && src !== '::1';
  // connect() wants to know the link of such an address.
  if (dst.startsWith('fe80:') && oif === undefined) return false;
  if (src === undefined) return true;
  // A socket sends from an address of its host: `ip route get from` refuses others. For IPv6 it does not bind with `from`.
  return ns.owns(ipOf(src)) !== undefined && !(oif !== undefined && src.includes(':'));
}

/** What a UDP socket asks is said in full. */
function asSocketsAsk(question: RouteQuestion): RouteQuestion {
  const { protocol, dport } = question;
  // A received packet counts as the superuser's; `ip -6 route get` asks with no user at all.
  if (question.iif !== undefined && question.dst.includes(':')) return { ...question, uid: 0 };
  if (!choosesSource(question) || protocol === 'tcp') return question;
  return { ...question, protocol: 'udp', dport: dport ?? 9 };
}

export async function shrinkRouting(one: RoutingCase): Promise<RoutingCase> {
  let best = one;
  for (const part of ['questions', 'rules', 'routes', 'nexthops', 'links', 'addresses'] as const) {
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
  return [
    ...sysctls,
    ...one.addresses,
    ...one.nexthops,
    ...one.routes,
    ...one.rules,
    ...one.links.map((link) => `link ${link}`),
  ].join('\n');
}
