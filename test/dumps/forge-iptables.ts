/** One change of one rule, and how a finding must name it. */
export interface Forgery {
  readonly service: string;
  readonly kind: string;
  /** The chain that the rule is in. */
  readonly chain: string;
  /** The rule as it was. */
  readonly rule: string;
  /** Undefined: taken away. */
  readonly becomes?: string;
}

interface OwnRule {
  readonly service: string;
  readonly line: number;
  readonly chain: string;
  readonly rule: string;
}

/** A plain look at an iptables-save text, apart from libs/kube-proxy: which rules belong to which service. */
export class SavedRules {
  private readonly lines: readonly string[];
  readonly own: readonly OwnRule[];
  private readonly chains: readonly string[];

  /** `services`: names by `172.21.0.1 tcp 443` and by `* tcp 30080`. */
  constructor(text: string, services: ReadonlyMap<string, string>) {
    this.lines = text.split('\n');
    const rules: { line: number; chain: string; rule: string; table: string }[] = [];
    let table = '';
    for (const [line, raw] of this.lines.entries()) {
      if (raw.startsWith('*')) table = raw.slice(1);
      const rule = raw.replace(/^\[\d+:\d+\] /, '');
      const chain = /^-A (\S+)/.exec(rule)?.[1];
      if (chain !== undefined) rules.push({ line, chain, rule, table });
    }
    const owners = new Map<string, string>();
    const entryOwner = (rule: string): string | undefined => {
      const ip = / -d (\S+)\/32 /.exec(rule)?.[1] ?? '*';
      const protocol = / -p (\S+)/.exec(rule)?.[1] ?? '';
      return services.get(`${ip} ${protocol} ${/ --dport (\d+)/.exec(rule)?.[1] ?? ''}`);
    };
    const calls = (rule: string): string | undefined => / -j (KUBE-(?:SVC|SVL|EXT|FW|SEP)-\S+)/.exec(rule)?.[1];
    const isEntry = (chain: string): boolean =>
      /^KUBE-(SERVICES|NODEPORTS|EXTERNAL-SERVICES|PROXY-FIREWALL)$/.test(chain);
    const own = new Map<number, string>();
    for (const { line, chain, rule, table: of } of rules) {
      // The health check node ports of the filter table lead to no endpoint.
      if (!isEntry(chain) || (of === 'filter' && chain === 'KUBE-NODEPORTS')) continue;
      const service = entryOwner(rule);
      const called = calls(rule);
      if (service === undefined) continue;
      own.set(line, service);
      if (called !== undefined) owners.set(called, service);
    }
    // EXT and FW lead to SVC, that to SEP: three rounds reach all.
    for (let round = 0; round < 3; round++)
      for (const { chain, rule } of rules) {
        const owner = owners.get(chain);
        const called = calls(rule);
        if (owner !== undefined && called !== undefined) owners.set(called, owner);
      }
    for (const { line, chain } of rules) {
      const owner = owners.get(chain);
      if (owner !== undefined) own.set(line, owner);
    }
    this.own = rules.flatMap((rule) => {
      const service = own.get(rule.line);
      return service === undefined ? [] : [{ ...rule, service }];
    });
    this.chains = [...owners.keys()].filter((chain) => chain.startsWith('KUBE-SEP-'));
  }

  /** Every way in which a rule can be forged. */
  forgeries(own: OwnRule, random: () => number): Forgery[] {
    const { rule, chain, service } = own;
    const other = this.chains[Math.floor(random() * this.chains.length)] ?? '';
    const changes: [string, string][] = [
      ['DNAT address', rule.replace(/(--to-destination \d+\.\d+\.\d+)\.\d+/, '$1.251')],
      ['DNAT port', rule.replace(/(--to-destination \S+:)\d+/, '$11')],
      ['probability', rule.replace(/(--probability )\S+/, '$10.12500000000')],
      ['endpoint jump', rule.replace(/-j KUBE-SEP-\S+/, `-j ${other}`)],
      ['jump to nowhere', rule.replace(/-j KUBE-(SEP|SVC|SVL|EXT|FW)-\S+/, '-j KUBE-SEP-NOTTHERE0000000')],
      ['jump to the mark', rule.replace(/-j KUBE-(SEP|SVC|SVL)-\S+/, '-j KUBE-MARK-MASQ')],
      ['jump to drop', rule.replace(/-j KUBE-(SEP|SVC|SVL|EXT|FW|MARK)-\S+/, '-j DROP')],
      ['mark to accept', rule.replace(/-j KUBE-MARK-MASQ/, '-j RETURN')],
      ['source', rule.replace(/ -s \d+\.\d+\.\d+\.\d+/, ' -s 10.9.8.7')],
      ['negation', rule.replace(/ ! -s /, ' -s ')],
      ['destination', rule.replace(/ -d \S+\/32/, ' -d 172.21.254.253/32')],
      ['destination port', rule.replace(/ --dport \d+/, ' --dport 9')],
      ['seconds', rule.replace(/--seconds \d+/, '--seconds 7')],
      ['remembered name', rule.replace(/--name \S+/, '--name KUBE-SEP-OTHER')],
      ['protocol', rule.replace(/-p tcp/, '-p udp').replace(/-m tcp/, '-m udp')],
      ['refusal', rule.replace(/-j REJECT.*/, '-j ACCEPT')],
    ];
    return [
      { service, chain, rule, kind: 'removed' },
      ...changes
        .filter(([, becomes]) => becomes !== rule)
        .map(([kind, becomes]) => ({ service, chain, rule, kind, becomes })),
    ].filter((one) => !isHarmless(one));
  }

  /** The text with some rules forged. */
  forge(changes: ReadonlyMap<number, Forgery>): string {
    return this.lines
      .flatMap((raw, line) => {
        const change = changes.get(line);
        if (change === undefined) return [raw];
        return change.becomes === undefined ? [] : [change.becomes];
      })
      .join('\n');
  }
}

/** Changes that change nothing for any packet. */
function isHarmless({ kind, rule, chain }: Forgery): boolean {
  // The rule for 127.0.0.0/8 counts packets; the one below it leads to the same chain.
  if (rule.includes('-d 127.0.0.0/8')) return true;
  // Its own address among the source ranges; in the recordings a wider range before it contains it.
  if (kind === 'removed' && /^-A KUBE-FW-\S+ -s \S+\/32 /.test(rule)) return true;
  // A remark: "other traffic to ... will be dropped by KUBE-PROXY-FIREWALL".
  if (!rule.includes(' -j ')) return true;
  // The protocol of a service is asked at its entry already.
  if (kind === 'protocol' && /^KUBE-(SEP|SVC|SVL)-/.test(chain)) return !rule.includes('DNAT');
  return false;
}
