import { MAYBE, NO, YES, type Match } from './match.js';
import type { FlowEnd, PolicyFlow } from './flow.js';
import type { Roster } from './roster.js';

/** Which side of the connection a port belongs to. */
export type Side = 'source' | 'destination';

function portOf(flow: PolicyFlow, side: Side): number | undefined {
  return side === 'source' ? flow.sourcePort : flow.port;
}

/** A port of the connection in an inclusive range; a source port that is not known may be any. */
export function portInRange(flow: PolicyFlow, side: Side, from: number, to: number): Match {
  const port = portOf(flow, side);
  if (port === undefined) return side === 'source' && hasPorts(flow.protocol) ? MAYBE : NO;
  return port >= from && port <= to ? YES : NO;
}

/** Resolved at the pod that has the port, so one name may mean many numbers; an end that is no pod has no named ports. */
export function portHasName(
  roster: Roster,
  flow: PolicyFlow,
  side: Side,
  name: string,
  protocol: string | undefined,
): Match {
  const end: FlowEnd = flow[side];
  let yes = 0;
  for (const pod of end.pods) {
    const meant = roster
      .portsOf(pod)
      .some(
        (port) =>
          port.name === name &&
          port.protocol === flow.protocol &&
          (protocol === undefined || port.protocol === protocol) &&
          portInRange(flow, side, port.port, port.port) === YES,
      );
    if (meant) yes++;
  }
  if (yes === 0) return NO;
  return yes === end.pods.length ? YES : MAYBE;
}

function hasPorts(protocol: string): boolean {
  return protocol === 'tcp' || protocol === 'udp' || protocol === 'sctp' || protocol === 'udplite';
}
