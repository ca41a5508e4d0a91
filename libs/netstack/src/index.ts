/**
 * One host's Linux, pure: parsers of the dump files, and what the kernel does with a packet in one network namespace.
 * Knows nothing of Kubernetes, of other namespaces, or of how a dump was made. The kernel is right: test/lab compares.
 * Start with forward.ts (the walk through a namespace), then netfilter/hooks.ts and routing/lookup.ts.
 */
export { AddressClasses } from './address-classes.js';
export * from './chooser.js';
export * from './device.js';
export * from './forward.js';
export { deleteCommand, hook, unknowable } from './hook.js';
export * from './icmp-error.js';
export { sourceProblem } from './routing/source-check.js';
export { diversionFacts, noRouteFacts, refusalFacts } from './routing/route-evidence.js';
export * from './listener.js';
export * from './namespace.js';
export * from './netfilter/conntrack.js';
export { runFamilyHook } from './netfilter/hooks.js';
export { knownMatches } from './netfilter/matches/index.js';
export { printRule } from './netfilter/nft/print.js';
export { knownTargets } from './netfilter/targets.js';
export * from './outcome.js';
export type { FdbEntry, Neighbour } from './parse/neighbours.js';
export type { Link, Address, BridgePort } from './parse/links.js';
export { QUOTED, splitWords } from './parse/iptables-save.js';
export type { RealServer, VirtualServer } from './parse/ipvs.js';
export { parseNativeTables, type Json, type NativeRule, type NativeTable } from './parse/nft.js';
export type { Route, NextHop } from './parse/routes.js';
export type { Socket } from './parse/sockets.js';
export { addressType, lookupRoute, type Flow, type RouteResult, type RoutingState } from './routing/lookup.js';
export { routeSource, selectSource } from './routing/source.js';
export * from './skb.js';
export type { ArpMessage } from './tc/frame.js';
