import type { Target } from '../target.js';
import { OBSTACLES, type Obstacle } from './obstacles.js';

/** `size` obstacles that can stand on one way together; the same for the same seed. */
export function pickObstacles(target: Target, size: number, seed: number): readonly Obstacle[] {
  const fitting = OBSTACLES.filter(({ fits }) => fits?.(target) ?? true);
  const random = mulberry32(seed);
  const picked: Obstacle[] = [];
  while (picked.length < size && fitting.length > 0) {
    const [next] = fitting.splice(Math.floor(random() * fitting.length), 1);
    if (next === undefined || picked.some((other) => isOneDecision(next, other))) continue;
    picked.push(next);
  }
  return picked;
}

function isOneDecision(a: Obstacle, b: Obstacle): boolean {
  return a.decision !== undefined && a.decision === b.decision;
}

/** Mulberry32, a generator of 32 bits of state: small, and the same numbers on every machine. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
