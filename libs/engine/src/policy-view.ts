import { parseIp, type Hop, type Ip, type Step } from '#libs/model';
import type { Exchange } from './exchange.js';

/** Address and port, as a policy engine sees them. */
export interface SeenTarget {
  readonly ip: Ip;
  readonly port: number;
}

/**
 * Where a pod's packet is going when the policies of its node see it: after the translations of that node (PREROUTING), before those
 * of others. A node port of another node is an address of a host there.
 */
export function targetAtSource(
  { forward, obstacles }: Pick<Exchange, 'forward' | 'obstacles'>,
  asked: SeenTarget,
): SeenTarget {
  const first = forward.hops.findIndex(({ at }) => at.kind === 'node');
  const seen = forward.hops.slice(0, first < 0 ? undefined : first + 1);
  // What stopped before any rule was asked has not been translated, and would have been.
  if (first < 0 && obstacles.length > 0) return asked;
  const last = seen
    .flatMap(translations)
    .findLast(({ before, after }) => before?.dst !== after?.dst || before?.destinationPort !== after?.destinationPort);
  const ip = last?.after === undefined ? undefined : parseIp(last.after.dst);
  return ip === undefined ? asked : { ip, port: last?.after?.destinationPort ?? asked.port };
}

/**
 * Who sends when the policies of the destination's node see the packet: in FORWARD, so masquerading on the way there counts, and what
 * that node itself does in POSTROUTING does not.
 */
export function sourceAtDestination({ forward, arrival }: Pick<Exchange, 'forward' | 'arrival'>, sender: Ip): Ip {
  const last = forward.hops.findLast(({ at }) => at.kind === 'node');
  const late =
    last === undefined ? undefined : translations(last).find(({ before, after }) => before?.src !== after?.src);
  const before = late?.before === undefined ? undefined : parseIp(late.before.src);
  if (before !== undefined) return before;
  return arrival?.src ?? sourceOf(forward.hops) ?? sender;
}

function sourceOf(hops: readonly Hop[]): Ip | undefined {
  const last = hops.flatMap(translations).findLast(({ before, after }) => before?.src !== after?.src);
  return last?.after === undefined ? undefined : parseIp(last.after.src);
}

/** Of the packet itself, not of one that carries it through a tunnel. */
function translations({ steps }: Hop): Step[] {
  return steps.filter(
    ({ kind, before, after }) =>
      (kind === 'translate' || kind === 'service') &&
      before !== undefined &&
      after !== undefined &&
      before.inner === undefined,
  );
}
