import type { CalicoSet } from './calico-iptables.js';
import type { RuleSet } from './rule-set.js';

/** Base chains of Felix's table (felix/nftables): hook and priority of each, by the name of the iptables chain that it stands for. */
const BASE: ReadonlyMap<string, string> = new Map([
  ['filter-INPUT', 'type filter hook input priority 0'],
  ['filter-FORWARD', 'type filter hook forward priority 0'],
  ['filter-OUTPUT', 'type filter hook output priority 0'],
  ['mangle-PREROUTING', 'type filter hook prerouting priority -150'],
  ['mangle-POSTROUTING', 'type filter hook postrouting priority -150'],
  ['raw-PREROUTING', 'type filter hook prerouting priority -300'],
  ['raw-OUTPUT', 'type filter hook output priority -300'],
  ['nat-PREROUTING', 'type nat hook prerouting priority -100'],
  ['nat-OUTPUT', 'type nat hook output priority -100'],
  ['nat-POSTROUTING', 'type nat hook postrouting priority 100'],
]);

/** Felix's rules and sets as it writes them in nftables mode: one table, chains called after their iptables table. */
export function calicoNftables(rules: RuleSet, sets: readonly CalicoSet[]): string {
  const chains = rules.chains().map(({ table, name, lines }) => ({
    name: `${table}-${name}`,
    lines: lines.map((line) => translate(table, line)),
  }));
  return [
    'table ip calico {',
    ...sets.map(printSet),
    ...chains.map(({ name }) => {
      const base = BASE.get(name);
      return `  chain ${name} {${base === undefined ? '' : ` ${base}; policy accept;`} }`;
    }),
    '}',
    'table ip calico {',
    ...chains.map(({ name, lines }) => [`  chain ${name} {`, ...lines.map((line) => `    ${line}`), '  }'].join('\n')),
    '}',
    '',
  ].join('\n');
}

function printSet({ name, type, members }: CalicoSet): string {
  const elements = members.map((member) =>
    type === 'hash:ip,port' ? member.replace(/,(\w+):(\d+)$/, ' . $1 . $2') : member,
  );
  const kind =
    type === 'hash:ip,port' ? 'type ipv4_addr . inet_proto . inet_service;' : 'type ipv4_addr; flags interval;';
  const filled = elements.length === 0 ? '' : ` elements = { ${elements.join(', ')} };`;
  return `  set ${setName(name)} { ${kind}${filled} }`;
}

function setName(name: string): string {
  return name.replaceAll(':', '-');
}

/** Words of an iptables rule, `"a b"` as one. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

/** One rule of those that calico-iptables.ts writes, in nft's language. */
function translate(table: string, line: string): string {
  const words = wordsOf(line);
  const comments: string[] = [];
  const parts: string[] = [];
  let protocol = '';
  let verdict = '';
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const negated = word === '!' || words[0] === '!';
    if (word === '!') word = words.shift() ?? '';
    const not = negated ? '!= ' : '';
    const next = () => {
      const value = words.shift() ?? '';
      return value === '!' ? (words.shift() ?? '') : value;
    };
    switch (word) {
      case '-i':
      case '-o':
        parts.push(`${word === '-i' ? 'iifname' : 'oifname'} ${not}"${next().replace(/\+$/, '*')}"`);
        break;
      case '-s':
      case '-d':
        parts.push(`ip ${word === '-s' ? 'saddr' : 'daddr'} ${not}${next()}`);
        break;
      case '-p':
        protocol = next();
        parts.push(`meta l4proto ${protocol === 'ipencap' ? '4' : protocol}`);
        break;
      case '-m':
        next();
        break;
      case '--comment':
        comments.push(next());
        break;
      case '--ctstate': {
        const states = next();
        parts.push(
          states === 'DNAT'
            ? `ct status & dnat ${negated ? '!=' : '=='} dnat`
            : `ct state ${not}${states.toLowerCase()}`,
        );
        break;
      }
      case '--mark': {
        const [value = '', mask = ''] = next().split('/');
        parts.push(`meta mark & ${mask} == ${value}`);
        break;
      }
      case '--match-set': {
        const set = `@${setName(next())}`;
        const side = next();
        const key = { src: 'ip saddr', dst: 'ip daddr', 'dst,dst': 'ip daddr . meta l4proto . th dport' }[side];
        parts.push(`${key ?? ''} ${not}${set}`);
        break;
      }
      case '--dports':
      case '--dport':
        parts.push(`${protocol} dport { ${next().replaceAll(':', '-').replaceAll(',', ', ')} }`);
        break;
      case '--src-type':
      case '--dst-type': {
        const address = word === '--src-type' ? 'saddr' : 'daddr';
        const isOut = words.includes('--limit-iface-out') && words.indexOf('--limit-iface-out') < 2;
        parts.push(`fib ${address}${isOut ? ' . oif' : ''} type ${not}${next().toLowerCase()}`);
        break;
      }
      case '--limit-iface-out':
      case '--validmark':
      case '--random-fully':
        break;
      case '--invert':
        parts.push('fib saddr . mark . iif oif missing');
        break;
      case '-g':
        verdict = `goto ${table}-${next()}`;
        break;
      case '-j':
        verdict = target(table, words);
        break;
      default:
        throw new Error(`lab: no nft for ${word} of: ${line}`);
    }
  }
  return [...parts, 'counter', verdict, `comment "${comments.join('; ').slice(0, 120)}"`]
    .filter((part) => part !== '')
    .join(' ');
}

function target(table: string, words: string[]): string {
  const name = words.shift() ?? '';
  switch (name) {
    case 'ACCEPT':
    case 'DROP':
    case 'RETURN':
    case 'NOTRACK':
      return name.toLowerCase();
    case 'MASQUERADE':
      return 'masquerade fully-random';
    case 'MARK': {
      words.shift();
      const [value = 0, mask = 0] = (words.shift() ?? '').split('/').map(Number);
      const kept = `meta mark & 0x${(~mask >>> 0).toString(16)}`;
      return `meta mark set ${value === 0 ? kept : `${kept} | 0x${value.toString(16)}`}`;
    }
    default:
      return `jump ${table}-${name}`;
  }
}
