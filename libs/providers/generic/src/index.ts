/**
 * The provider for clusters of any cloud or none: the CNI plugins that we know, and an InfraShim from the operator's
 * own description of the network outside (underlay.json). Start with generic-provider.ts.
 */
export { genericProvider } from './generic-provider.js';
