/** iptables-save text as kube-proxy writes it for so many services with three endpoints each. The same numbers give the same text. */
export function kubeProxyRules(services: number): string {
  const chains: string[] = [];
  const dispatch: string[] = [];
  const bodies: string[] = [];
  for (let service = 0; service < services; service++) {
    const name = `bench/svc-${service}:http`;
    const svc = `KUBE-SVC-${tag(service)}`;
    const ip = clusterIp(service);
    chains.push(`:${svc} - [0:0]`);
    dispatch.push(
      `-A KUBE-SERVICES -d ${ip}/32 -p tcp -m comment --comment "${name} cluster IP" -m tcp --dport 80 -j ${svc}`,
    );
    bodies.push(
      `-A ${svc} ! -s 10.244.0.0/16 -d ${ip}/32 -p tcp -m comment --comment "${name} cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ`,
    );
    for (let endpoint = 0; endpoint < 3; endpoint++) {
      const sep = `KUBE-SEP-${tag(service * 3 + endpoint + 1_000_000)}`;
      const pod = podIp(service, endpoint);
      chains.push(`:${sep} - [0:0]`);
      const dice =
        [
          '-m statistic --mode random --probability 0.33333333349 ',
          '-m statistic --mode random --probability 0.50000000000 ',
          '',
        ][endpoint] ?? '';
      bodies.push(
        `-A ${svc} -m comment --comment "${name} -> ${pod}:8080" ${dice}-j ${sep}`,
        `-A ${sep} -s ${pod}/32 -m comment --comment "${name}" -j KUBE-MARK-MASQ`,
        `-A ${sep} -p tcp -m comment --comment "${name}" -m tcp -j DNAT --to-destination ${pod}:8080`,
      );
    }
  }
  return [...FILTER, ...NAT_HEAD, ...chains, ...NAT_RULES, ...dispatch, NODE_PORTS, ...bodies, 'COMMIT', ''].join('\n');
}

export function clusterIp(service: number): string {
  return `10.${96 + (service >>> 16)}.${(service >>> 8) & 255}.${service & 255}`;
}

export function podIp(service: number, endpoint: number): string {
  const pod = service * 3 + endpoint;
  return `10.244.${(pod >>> 8) & 255}.${pod & 255}`;
}

/** Sixteen letters, as the hash in kube-proxy's names. */
function tag(number: number): string {
  let rest = BigInt(number) * 2862933555777941757n + 3037000493n;
  let text = '';
  for (let i = 0; i < 16; i++) {
    text += String.fromCharCode(65 + Number(rest % 26n));
    rest = rest / 26n + 7919n * BigInt(i + number);
  }
  return text;
}

const FILTER = [
  '*filter',
  ':INPUT ACCEPT [0:0]',
  ':FORWARD ACCEPT [0:0]',
  ':OUTPUT ACCEPT [0:0]',
  ':KUBE-EXTERNAL-SERVICES - [0:0]',
  ':KUBE-FORWARD - [0:0]',
  ':KUBE-PROXY-FIREWALL - [0:0]',
  ':KUBE-SERVICES - [0:0]',
  '-A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES',
  '-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL',
  '-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD',
  '-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
  '-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP',
  '-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT',
  '-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
  'COMMIT',
];

const NAT_HEAD = [
  '*nat',
  ':PREROUTING ACCEPT [0:0]',
  ':INPUT ACCEPT [0:0]',
  ':OUTPUT ACCEPT [0:0]',
  ':POSTROUTING ACCEPT [0:0]',
  ':KUBE-MARK-MASQ - [0:0]',
  ':KUBE-NODEPORTS - [0:0]',
  ':KUBE-POSTROUTING - [0:0]',
  ':KUBE-SERVICES - [0:0]',
];

const NAT_RULES = [
  '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
  '-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
  '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
  '-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000',
  '-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN',
  '-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0',
  '-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully',
];

const NODE_PORTS =
  '-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS';
