import * as fc from 'fast-check';
import { NotingChooser } from '../../../../test/fixtures/choices.js';
import { sketchNamespace } from '../../../../test/fixtures/namespace-sketch.js';
import { icmpError, tcp, udp } from '../../../../test/fixtures/packets.js';
import { tupleOf, type Skb } from '../skb.js';
import { candidates } from './chain-index.js';
import { headerOf } from './header.js';
import { ruleMatches } from './rule.js';
import { compileRuleset, type Chain, type Ruleset } from './ruleset.js';
import { runTable } from './traverse.js';

const NODE = sketchNamespace({ links: [{ name: 'eth0', addresses: ['10.0.0.1/24'] }] });

// Few values, so that rules and packets meet often.
const address = fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.1.1');
const prefix = fc.constantFrom('10.0.0.1/32', '10.0.0.2/32', '10.0.0.0/24', '10.0.0.0/16', '0.0.0.0/0', '10.0.1.1');
const device = fc.constantFrom('eth0', 'eth1', 'eth+', '+');
const port = fc.constantFrom('80', '81', '80:81', '53');
const negation = fc.constantFrom('', '', '! ');
const optional = (part: fc.Arbitrary<string>): fc.Arbitrary<string> => fc.option(part, { nil: '', freq: 2 });

const selectors = fc
  .tuple(
    optional(fc.tuple(negation, prefix).map(([not, value]) => `${not}-s ${value}`)),
    optional(fc.tuple(negation, prefix).map(([not, value]) => `${not}-d ${value}`)),
    optional(fc.tuple(negation, device).map(([not, value]) => `${not}-i ${value}`)),
    optional(fc.tuple(negation, device).map(([not, value]) => `${not}-o ${value}`)),
    optional(
      fc.oneof(
        fc
          .tuple(negation, port, fc.constantFrom('tcp', 'udp'))
          .map(([not, value, name]) => `-p ${name} -m ${name} ${not}--dport ${value}`),
        fc.constantFrom('-p tcp', '! -p udp', '-p icmp', '-m tcp --dport 80', '-p tcp -m tcp --sport 80 --dport 80'),
      ),
    ),
    fc.constantFrom('-j ACCEPT', '-j DROP', '-j RETURN', '-j MARK --set-xmark 0x1/0x1', '-j OTHER', '-g OTHER'),
  )
  .map((parts) => parts.filter((part) => part !== '').join(' '));

const packet = fc
  .tuple(
    address,
    address,
    fc.constantFrom(80, 81, 53, 9),
    fc.constantFrom(80, 40000),
    fc.constantFrom('tcp', 'udp', 'icmp'),
  )
  .map(([src, dst, dport, sport, kind]): Skb => {
    const text = `${src}:${sport} > ${dst}:${dport}`;
    if (kind === 'icmp') return icmpError(src, dst, 3, 3, tupleOf(tcp(text)));
    return kind === 'udp' ? udp(text) : tcp(text);
  });

const interfaces = fc.constantFrom('eth0', 'eth1', 'eth10', '');

function compile(rules: readonly string[], other: readonly string[], indexed = true): Ruleset {
  const text = [
    '*filter',
    ':FORWARD DROP [0:0]',
    ':OTHER - [0:0]',
    ...rules.map((rule) => `-A FORWARD ${rule}`),
    ...other.map((rule) => `-A OTHER ${rule.replace(/-[jg] OTHER/, '-j RETURN')}`),
    'COMMIT',
    '',
  ].join('\n');
  return compileRuleset('x.txt', text, 'nft', 4, { indexed });
}

function chainOf(ruleset: Ruleset, name: string): Chain {
  const chain = ruleset.tables.get('filter')?.chains.get(name);
  if (chain === undefined) throw new Error(`no chain ${name}`);
  return chain;
}

/** Positions of the rules that a packet meets; undefined: all, the chain has no index. */
function positions({ index }: Chain, skb: Skb, iif = 'eth0', oif = ''): readonly number[] | undefined {
  return index === undefined ? undefined : candidates(index, headerOf(skb, iif, oif)).map(({ position }) => position);
}

/** All that a table did to the packet. */
function run(ruleset: Ruleset, skb: Skb, iif: string, oif: string): unknown {
  const told: string[] = [];
  const copy = { ...skb };
  const table = ruleset.tables.get('filter');
  if (table === undefined) throw new Error('no table filter');
  runTable(
    {
      ns: NODE,
      hook: 'FORWARD',
      skb: copy,
      iif,
      oif,
      chooser: new NotingChooser(),
      observer: {
        step: (step) => told.push(`${step.evidence?.locator ?? ''} ${step.text}`),
        stopped: (stop) => told.push(`${stop.cause} ${stop.evidence.locator}`),
      },
    },
    table,
    chainOf(ruleset, 'FORWARD'),
  );
  return { told, mark: copy.mark };
}

describe('the index of a long chain', () => {
  const long = fc.array(selectors, { minLength: 9, maxLength: 25 });

  it('leaves out no rule that may match, keeps the order, and names none twice', () => {
    fc.assert(
      fc.property(long, packet, interfaces, interfaces, (rules, skb, iif, oif) => {
        const chain = chainOf(compile(rules, []), 'FORWARD');
        const env = { ns: NODE, hook: 'FORWARD' as const, skb, iif, oif, chooser: new NotingChooser() };

        const picked = positions(chain, skb, iif, oif);

        const matching = chain.rules.flatMap((rule) => (ruleMatches(rule, env) === false ? [] : [rule.position]));
        expect(picked).toBeDefined();
        expect(matching.filter((at) => picked?.includes(at) !== true)).toEqual([]);
        expect(picked).toEqual([...new Set(picked)].toSorted((a, b) => a - b));
      }),
      { numRuns: 200 },
    );
  });

  it('changes nothing of what the table does', () => {
    fc.assert(
      fc.property(long, long, packet, interfaces, interfaces, (rules, other, skb, iif, oif) => {
        const [indexed, plain] = [true, false].map((index) => run(compile(rules, other, index), skb, iif, oif));

        expect(indexed).toEqual(plain);
      }),
      { numRuns: 200 },
    );
  });

  it('makes a look-up independent of the number of services', () => {
    const rules = Array.from(
      { length: 5000 },
      (_, at) => `-d 10.${96 + (at >> 16)}.${(at >> 8) & 255}.${at & 255}/32 -p tcp -m tcp --dport 80 -j OTHER`,
    );
    const chain = chainOf(compile([...rules, '-m mark --mark 0x1 -j ACCEPT'], []), 'FORWARD');

    expect(positions(chain, tcp('10.0.0.1:40000 > 10.96.3.7:80'))).toEqual([3 * 256 + 8, 5001]);
    expect(positions(chain, tcp('10.0.0.1:40000 > 8.8.8.8:80'))).toEqual([5001]);
  });

  it('is not made for short chains', () => {
    const chain = chainOf(compile(['-d 10.0.0.1/32 -j ACCEPT'], []), 'FORWARD');

    expect(positions(chain, tcp('10.0.0.1:40000 > 10.0.0.2:80'))).toBeUndefined();
  });
});
