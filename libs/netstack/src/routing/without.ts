import type { Route } from '../parse/routes.js';
import type { PolicyRule } from '../parse/rules.js';
import { buildFibs } from './fib.js';
import type { RouteResult, RoutingState } from './lookup.js';

/** Failing pairs of a bulk meet the same refusing route again and again. */
const known = new WeakMap<Route | PolicyRule, RoutingState>();

/** The tables as they would be without the route or rule that refused: how a packet would go on if it were removed. */
export function withoutRefusal(state: RoutingState, refused: Extract<RouteResult, { kind: 'refused' }>): RoutingState {
  const culprit = refused.rule ?? refused.route;
  if (culprit === undefined) return state;
  let rest = known.get(culprit);
  if (rest === undefined) known.set(culprit, (rest = remove(state, culprit)));
  return rest;
}

function remove(state: RoutingState, culprit: Route | PolicyRule): RoutingState {
  const rules = state.rules.filter((rule) => rule !== culprit);
  if (rules.length < state.rules.length) return { ...state, rules };
  const routes = [...state.fibs.tables.values()].flatMap((fib) => [...fib.all()]);
  return {
    ...state,
    fibs: buildFibs(
      state.fibs.family,
      routes.filter((route) => route !== culprit),
    ),
  };
}
