import { isSuspicionCode, suspect, type Ip } from '#libs/model';
import { firstChoice, lookupRoute, type NetNamespace } from '#libs/netstack';
import type { CniPlugin, Finding } from '#libs/provider-kit';
import { build, cniCluster, type BreakableCluster, type BuiltCluster, type CniKind } from '../fixtures/cni-cluster.js';

/** All that a plugin finds in a cluster, by the namespace in which it was looked for. */
export function inspectAll(plugin: CniPlugin, built: BuiltCluster): readonly Finding[] {
  const network = plugin.forCluster(built.cluster);
  const nodes = ['node1', 'node2'].map((name) => built.node(name)).filter((ns): ns is NetNamespace => ns !== undefined);
  return [
    ...nodes.flatMap((ns) => network.inspectNode(ns, built.node)),
    ...['pod1', 'pod2'].flatMap((name, at) => network.inspectPod(built.pod(name), nodes[at])),
  ];
}

/** What every plugin keeps to, whatever it promises; `kinds` are the clusters that are its own. */
export function describeCniPluginContract(plugin: CniPlugin, kinds: readonly CniKind[]): void {
  describe(`the contract of CNI plugins: ${plugin.name}`, () => {
    it('detects its own clusters with reasons, and not one of which nothing is known', () => {
      for (const kind of kinds) {
        const { cluster } = build(cniCluster(kind));
        expect(plugin.detect(cluster)).toMatchObject({ detected: true });
        expect(plugin.detect(cluster).reasons).not.toEqual([]);
        expect(plugin.forCluster(cluster).plugin).toBe(plugin.name);
      }
    });

    it.each(kinds.flatMap((kind) => [1400, 1500, 9000].map((mtu) => ({ kind, mtu }))))(
      'finds nothing in a healthy cluster: $kind, MTU $mtu',
      ({ kind, mtu }) => {
        const built = build(cniCluster(kind, mtu));
        const network = plugin.forCluster(built.cluster);

        expect(inspectAll(plugin, built)).toEqual([]);
        for (const name of ['node1', 'node2'])
          for (const pod of built.cluster.pods.values())
            for (const ip of pod.ips) expect(network.routeFinding(namespace(built, name), ip)).toBeUndefined();
      },
    );

    it('knows the next hop to every pod: its node, and on its node the pod', () => {
      for (const kind of kinds) {
        const { cluster } = build(cniCluster(kind));
        const network = plugin.forCluster(cluster);
        for (const pod of cluster.pods.values())
          for (const ip of pod.ips)
            for (const node of cluster.nodes.keys())
              expect(network.intendedNextHop(node, ip)).toEqual(
                node === pod.node
                  ? { kind: 'pod', namespace: pod.namespace, name: pod.name }
                  : { kind: 'node', name: pod.node },
              );
      }
    });

    it('knows the way to every pod, also where the routes are gone', () => {
      for (const kind of kinds) {
        const bare = cniCluster(kind);
        const healthy = build(cniCluster(kind));
        for (const dump of [bare.node1, bare.node2])
          dump.routes = dump.routes.filter(({ dst }) => !String(dst).startsWith('10.244.'));
        const broken = build(bare);
        for (const name of ['node1', 'node2'])
          for (const pod of healthy.cluster.pods.values())
            for (const ip of pod.ips) {
              const used = hopOf(namespace(healthy, name), ip);
              for (const built of [healthy, broken])
                expect(plugin.forCluster(built.cluster).intendedRoute(namespace(built, name), ip)).toEqual(used);
            }
      }
    });

    it('finds nothing where nothing was collected', () => {
      for (const kind of kinds) {
        const blind = cniCluster(kind);
        for (const dump of dumpsOf(blind)) for (const file of dump.toDump().files.keys()) dump.without.add(file);
        expect(inspectAll(plugin, build(blind))).toEqual([]);
      }
    });

    it('finds nothing more when one file is missing', () => {
      for (const kind of kinds) {
        const files = [...cniCluster(kind).node1.toDump().files.keys()];
        for (const file of files) {
          const blind = cniCluster(kind);
          for (const dump of dumpsOf(blind)) dump.without.add(file);
          expect({ file, findings: inspectAll(plugin, build(blind)) }).toEqual({ file, findings: [] });
        }
      }
    });

    it('gives findings with evidence, and the same ones each time', () => {
      for (const kind of kinds) {
        const broken = () => {
          const cluster = cniCluster(kind);
          cluster.node1.down('eth0');
          cluster.pod2.flush('eth0');
          return inspectAll(plugin, build(cluster));
        };
        const findings = broken();

        expect(broken()).toEqual(findings);
        expect(findings).not.toEqual([]);
        for (const finding of findings) {
          expect(isSuspicionCode(finding.code)).toBe(true);
          expect(finding.evidence[0]?.text).not.toBe('');
          // A hole that nothing filled is shown as a question mark.
          const { message, remedy } = suspect({ ...finding, blocking: false });
          expect(`${message} ${remedy}`).not.toContain('?');
        }
      }
    });
  });
}

/** Where the routes of a healthy node lead. */
function hopOf(ns: NetNamespace, dst: Ip): object | undefined {
  const routing = ns.routing(4);
  const flow = { dst, iif: 'lo', mark: 0, protocol: 6, sport: 0, dport: 0, tos: 0 };
  const found = routing === undefined ? undefined : lookupRoute(routing, flow, firstChoice);
  if (found?.kind !== 'route') return undefined;
  const { dev, gateway } = found.hop;
  return gateway === undefined ? { dev } : { dev, gateway };
}

function dumpsOf({ node1, node2, pod1, pod2 }: BreakableCluster) {
  return [node1, node2, pod1, pod2];
}

function namespace(built: BuiltCluster, name: string): NetNamespace {
  const found = built.node(name);
  if (found === undefined) throw new Error(`a spec asks for node ${name}`);
  return found;
}
