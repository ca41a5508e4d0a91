import { formatIp } from '#libs/model';
import { backendText } from '../intent/endpoints.js';
import type { Leaf } from '../programmed/evaluate.js';
import type { ProxyRule } from '../programmed/rule.js';
import type { Probe } from './probes.js';

/** Chains that belong to one service; the others are shared by all. */
export function isOwn(chain: string): boolean {
  return (
    /^KUBE-(SVC|SVL|EXT|XLB|FW|SEP)-/.test(chain) ||
    /^(service|external|local|endpoint|firewall)-[A-Z0-9]{8}-/.test(chain)
  );
}

/** Whether a refusal comes from a chain or map. */
export function isAt({ rule, path }: Leaf, place: string): boolean {
  return [rule, ...path].some(({ locator }) => locator === place || locator.startsWith(`${place}/`));
}

/** The chains that a rule sends this packet to; a rule with one of several at random sends it to that of the leaf. */
export function calleesOf({ actions }: ProxyRule, leaf: Leaf): string[] {
  return actions.flatMap((action) => {
    if (action.kind === 'call') return [action.chain];
    return action.kind === 'spread' && leaf.rule.actions !== actions ? [leaf.chain] : [];
  });
}

export function callee({ actions }: ProxyRule): string | undefined {
  for (const action of actions) if (action.kind === 'call') return action.chain;
  return undefined;
}

/** The chain that chooses the endpoint: where the rule stands that led to it, or that holds the map. */
export function poolOf(leaf: Leaf | undefined): string {
  const chooses = leaf?.rule.actions.some(({ kind }) => kind === 'spread') === true ? leaf.rule : leaf?.path.at(-1);
  return (chooses?.locator ?? '').replace(/\/\d+$/, '');
}

export function leafText({ ip, port }: Leaf): string {
  return ip === undefined ? '' : backendText({ ip, port: port ?? 0 });
}

export function sourceText({ asker }: Probe): string {
  const who = asker.kind === 'pod' ? 'pods' : asker.kind === 'node' ? 'the node itself' : 'outside';
  return `${who} (${formatIp(asker.ip)})`;
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
