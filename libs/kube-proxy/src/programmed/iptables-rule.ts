import { parseCidr, parseIp } from '#libs/model';
import { QUOTED, SCTP, splitWords, TCP, UDP } from '#libs/netstack';
import type { Action, ProxyRule, Test } from './rule.js';

const PROTOCOLS: ReadonlyMap<string, number> = new Map(Object.entries({ tcp: TCP, udp: UDP, sctp: SCTP }));

export function protocolNumber(name: string): number | undefined {
  return PROTOCOLS.get(name.toLowerCase());
}

/** Matches of kube-proxy that decide nothing here: text, and counters (nfacct counts localhost node ports). */
const HARMLESS = new Set(['comment', 'nfacct', 'tcp', 'udp', 'sctp']);

interface Option {
  readonly flag: string;
  readonly invert: boolean;
  readonly value: string;
}

/** Reads one rule as iptables-save prints it. What is not understood is kept as such: never read past it. */
export function readIptablesRule(table: string, chain: string, position: number, text: string): ProxyRule {
  const tests: Test[] = [];
  const actions: Action[] = [];
  let match = '';
  let options: Option[] = [];
  const closeMatch = (): void => {
    if (match !== '') tests.push(...matchTests(match, options));
    match = '';
    options = [];
  };
  const words = splitWords(text);
  let invert = false;
  for (let i = 2; i < words.length; i++) {
    const word = words[i] ?? '';
    const value = (words[i + 1] ?? '').replace(QUOTED, '');
    if (word === '!') {
      invert = true;
      continue;
    }
    if (word === '-m') {
      closeMatch();
      match = value;
      i++;
    } else if (word === '-j' || word === '-g') {
      closeMatch();
      actions.push(targetAction(value, word === '-g', words.slice(i + 2)));
      break;
    } else if (word === '-s' || word === '-d') {
      tests.push(netTest(word === '-s' ? 'source' : 'destination', value, invert));
      i++;
    } else if (word === '-p') {
      const number = protocolNumber(value);
      tests.push(
        number === undefined ? { kind: 'unknown', text: `-p ${value}` } : { kind: 'protocol', value: number, invert },
      );
      i++;
    } else if (word === '-i') {
      tests.push({ kind: 'iif', name: value, invert });
      i++;
    } else if (match !== '' && word.startsWith('--')) {
      const takesValue = !isFlag(words[i + 1]);
      options.push({ flag: word, invert, value: takesValue ? value : '' });
      if (takesValue) i++;
      // `--mode random --probability 0.5`, `--ctstate RELATED,ESTABLISHED`: one value each; more than one is not of kube-proxy.
    } else {
      tests.push({ kind: 'unknown', text: word });
    }
    invert = false;
  }
  closeMatch();
  return { locator: `${table}/${chain}/${position}`, text, tests, actions };
}

function isFlag(word: string | undefined): boolean {
  return word === undefined || word === '!' || /^--?[a-z]/.test(word);
}

function netTest(kind: 'source' | 'destination', text: string, invert: boolean): Test {
  const net = parseCidr(text);
  return net === undefined ? { kind: 'unknown', text } : { kind, nets: [net], invert };
}

function matchTests(name: string, options: readonly Option[]): Test[] {
  const option = (flag: string): Option | undefined => options.find((one) => one.flag === flag);
  const unknown = (): Test[] => [
    { kind: 'unknown', text: `-m ${name} ${options.map(({ flag, value }) => `${flag} ${value}`).join(' ')}`.trim() },
  ];
  switch (name) {
    case 'tcp':
    case 'udp':
    case 'sctp':
      return options.flatMap(({ flag, invert, value }): Test[] =>
        flag === '--dport' && /^\d+$/.test(value) ? [{ kind: 'dport', value: Number(value), invert }] : unknown(),
      );
    case 'addrtype': {
      const [one, more] = options;
      if (one === undefined || more !== undefined || one.value !== 'LOCAL') return unknown();
      return [{ kind: one.flag === '--src-type' ? 'source-local' : 'destination-local', invert: one.invert }];
    }
    case 'statistic': {
      const probability = Number(option('--probability')?.value);
      if (option('--mode')?.value !== 'random' || option('--probability')?.invert !== false || !(probability >= 0))
        return unknown();
      return [{ kind: 'chance', probability }];
    }
    case 'recent': {
      const set = option('--name')?.value;
      if (set === undefined) return unknown();
      if (option('--set') !== undefined) return [{ kind: 'remember', name: set }];
      const seconds = option('--seconds')?.value;
      if (option('--rcheck')?.invert !== false) return unknown();
      return [{ kind: 'remembered', name: set, seconds: seconds === undefined ? undefined : Number(seconds) }];
    }
    case 'conntrack':
      // The first packet of a connection is NEW.
      return option('--ctstate')?.value === 'NEW' && option('--ctstate')?.invert === false && options.length === 1
        ? []
        : unknown();
    case 'mark': {
      const [value = '', mask = '0xffffffff'] = (option('--mark')?.value ?? '').split('/');
      const numbers = [Number(value), Number(mask)].map((one) => one >>> 0);
      if (value === '' || options.length !== 1) return unknown();
      return [
        { kind: 'mark', value: numbers[0] ?? 0, mask: numbers[1] ?? 0, invert: option('--mark')?.invert ?? false },
      ];
    }
    default:
      return HARMLESS.has(name) ? [] : unknown();
  }
}

function targetAction(name: string, goto: boolean, words: readonly string[]): Action {
  const after = (flag: string): string | undefined => {
    const at = words.indexOf(flag);
    return at < 0 ? undefined : words[at + 1];
  };
  const rest = `${name} ${words.join(' ')}`.trim();
  switch (name) {
    case 'DNAT':
      return dnat(after('--to-destination') ?? '', words.length > 2) ?? { kind: 'unknown', text: rest };
    case 'MARK': {
      const [value = '', mask = '0xffffffff'] = (after('--set-xmark') ?? '').split('/');
      if (value === '') return { kind: 'unknown', text: rest };
      return { kind: 'set-mark', value: Number(value) >>> 0, mask: Number(mask) >>> 0 };
    }
    case 'ACCEPT':
      return { kind: 'accept' };
    case 'DROP':
      return { kind: 'drop' };
    case 'REJECT':
      return { kind: 'reject' };
    case 'RETURN':
      return { kind: 'return' };
    case 'MASQUERADE':
      return { kind: 'masquerade' };
    default:
      return { kind: 'call', chain: name, goto };
  }
}

/** kube-proxy writes one address with one port, nothing else (`--persistent` and ranges are not its own). */
function dnat(text: string, hasMore: boolean): Action | undefined {
  const colon = text.lastIndexOf(':');
  const ip = parseIp(text.slice(0, colon).replace(/^\[|\]$/g, ''));
  const port = Number(text.slice(colon + 1));
  return hasMore || colon < 0 || ip === undefined || !Number.isInteger(port) ? undefined : { kind: 'dnat', ip, port };
}
