import { setTimeout as sleep } from 'node:timers/promises';
import { toBytes, toFrame } from '../world/packet-bytes.js';
import { innerMac, outerMac, ROUTER_LINKS, type Router } from '../world/router.js';
import type { Injection, Prediction } from './prediction.js';
import { emptySink, readSink } from './sink.js';
import { compareTallies, type Tally } from './tally.js';

export interface CheckResult {
  readonly differences: readonly string[];
  readonly traversals: number;
  /** The kernel did not take the rules. */
  readonly refused?: string;
}

export async function compareWithKernel(
  router: Router,
  { phases, tally, traversals }: Prediction,
  readRules: (tally: Tally) => void,
): Promise<CheckResult> {
  emptySink();
  for (const phase of phases) await sendAll(router, phase);
  let differences: string[] = [];
  // A packet may still be on its way: look again before saying that the two disagree.
  for (const wait of [0, 5, 50, 200]) {
    await sleep(wait);
    const seen: Tally = new Map();
    readSink(seen);
    readRules(seen);
    differences = compareTallies(tally, seen);
    if (differences.length === 0) break;
  }
  return { differences, traversals };
}

async function sendAll(router: Router, phase: readonly Injection[]): Promise<void> {
  const outside = phase.flatMap(({ iif, packet }) =>
    iif === undefined
      ? []
      : [
          {
            device: ROUTER_LINKS.find(({ inner }) => inner === iif)?.outer,
            bytes: toFrame(packet, innerMac(iif), outerMac(iif)),
          },
        ],
  );
  await router.outside.send(outside);
  await router.local.send(
    phase.filter(({ iif }) => iif === undefined).map(({ packet }) => ({ bytes: toBytes(packet) })),
  );
}
