import { macOf, podNetnsName, vethOf } from '../cluster/names.js';
import { nodeOf, type PodSpec } from '../cluster/spec.js';
import { vtepAddress, vtepMac } from '../cni/vtep.js';
import type { LabCluster } from './clusters.js';

/** The names that faults need: what things are called and where they are in the cluster that is to be broken. */
export class Target {
  readonly isBridged: boolean;
  readonly isCalico: boolean;
  readonly isOverlay: boolean;
  /** The program for the tables that the cluster's own rules are in. */
  readonly iptables: string;
  /** The other one: its rules are in force as well. */
  readonly otherIptables: string;
  /** The VXLAN device and its port. */
  readonly vtep: { readonly device: string; readonly port: number; readonly vni: number };

  constructor(readonly lab: LabCluster) {
    const { cni, mode } = lab;
    this.isBridged = cni.name.startsWith('flannel');
    this.isCalico = cni.name.startsWith('calico');
    this.isOverlay = cni.name.endsWith('vxlan');
    this.iptables = mode === 'legacy' ? 'iptables-legacy' : 'iptables-nft';
    this.otherIptables = mode === 'legacy' ? 'iptables-nft' : 'iptables-legacy';
    this.vtep = this.isCalico
      ? { device: 'vxlan.calico', port: 4789, vni: 4096 }
      : { device: 'flannel.1', port: 8472, vni: 1 };
  }

  get isNftables(): boolean {
    return this.lab.mode === 'nftables';
  }

  /** A pod's address. */
  ip(pod: string): string {
    return this.pod(pod).address;
  }

  /** A pod's namespace. */
  at(pod: string): string {
    return podNetnsName(this.pod(pod));
  }

  /** The node's end of a pod's veth. */
  veth(pod: string): string {
    return vethOf(this.pod(pod), this.isCalico ? 'cali' : 'veth');
  }

  podMac(pod: string): string {
    return macOf(this.isCalico ? '7a:14' : '0a:58', this.ip(pod));
  }

  nodeMac(node: string): string {
    return macOf('02:42', this.address(node));
  }

  cidr(node: string): string {
    return this.node(node).podCidr;
  }

  address(node: string): string {
    return this.node(node).address;
  }

  /** How a route to the pods of a node goes on. */
  via(node: string): string {
    if (this.isOverlay) return `via ${vtepAddress(this.node(node))} dev ${this.vtep.device} onlink`;
    return `via ${this.address(node)} dev eth0`;
  }

  vtepAddress(node: string): string {
    return vtepAddress(this.node(node));
  }

  vtepMac(node: string): string {
    return vtepMac(this.node(node));
  }

  /** What pods of a node have as next hop. */
  gateway(node: string): string {
    return this.isCalico ? '169.254.1.1' : this.cidr(node).replace(/0\/\d+$/, '1');
  }

  private node(name: string) {
    return nodeOf(name, this.lab.cluster);
  }

  private pod(name: string): PodSpec {
    const pod = this.lab.cluster.pods.find((candidate) => candidate.name === name);
    if (pod === undefined) throw new Error(`lab: no pod ${name}`);
    return pod;
  }
}
