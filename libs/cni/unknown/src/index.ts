/**
 * For clusters whose CNI plugin is not known: no assumptions, no findings; pods are where their objects say.
 * Start with unknown.ts.
 */
export * from './unknown.js';
