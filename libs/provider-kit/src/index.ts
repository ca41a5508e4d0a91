/**
 * The contracts: Provider, Network, InfraShim, CniPlugin. What a cloud or CNI plugin implements and what workers and the CLI host.
 * Types and small value constructors only; the walk is in engine, implementations are in cni and providers.
 * Start with provider.ts, then infra-shim.ts.
 */
export * from './cloud/index.js';
export * from './cni-plugin.js';
export * from './infra-shim.js';
export * from './network.js';
export * from './provider.js';
