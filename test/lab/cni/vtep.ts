import { macOf } from '../cluster/names.js';
import type { NodeSpec } from '../cluster/spec.js';

/** flannel and Calico give the VXLAN device of a node the first address of the node's block. */
export function vtepAddress({ podCidr }: NodeSpec): string {
  return podCidr.replace(/\/\d+$/, '');
}

export function vtepMac({ address }: NodeSpec): string {
  return macOf('66:01', address);
}
