import { BitSet } from '../bit-set.js';
import { intersect, type Selection } from '../roster.js';
import type { Selector } from './parse-selector.js';

/** Labels inverted: which members hold which value of a key, so that a selector becomes operations on sets. */
export class LabelIndex {
  private readonly members = new Map<string, Map<string, number[]>>();
  private readonly values = new Map<string, Map<string, BitSet>>();
  /** By prefix: the members that inherit labels of an object which is not in the snapshot. */
  private readonly incomplete = new Map<string, number[]>();
  private readonly incompleteSets = new Map<string, BitSet>();

  constructor(private readonly size: number) {}

  add(member: number, labels: ReadonlyMap<string, string>): void {
    for (const [key, value] of labels) {
      const values = this.members.get(key) ?? new Map<string, number[]>();
      this.members.set(key, values);
      const holders = values.get(value);
      if (holders === undefined) values.set(value, [member]);
      else holders.push(member);
    }
  }

  /** The member may have more labels with this prefix than were added: what hands them down is not in the snapshot. */
  addIncomplete(member: number, prefix: string): void {
    const members = this.incomplete.get(prefix);
    if (members === undefined) this.incomplete.set(prefix, [member]);
    else members.push(member);
  }

  seal(): void {
    for (const [key, values] of this.members)
      this.values.set(key, new Map([...values].map(([value, holders]) => [value, BitSet.of(this.size, holders)])));
    for (const [prefix, members] of this.incomplete) this.incompleteSets.set(prefix, BitSet.of(this.size, members));
  }

  select(selector: Selector, all: BitSet): Selection {
    switch (selector.kind) {
      case 'all':
        return { sure: all };
      case 'global':
        // Every member is a pod, and a pod has a namespace.
        return { sure: BitSet.empty(this.size) };
      case 'has':
        return this.where(selector.key, () => true, false, all);
      case 'set':
        return this.where(
          selector.key,
          (value) => selector.values.has(value) === selector.wanted,
          !selector.wanted,
          all,
        );
      case 'compare':
        return this.where(
          selector.key,
          (value) => compareValue(selector.operator, value, selector.value),
          selector.operator === '!=',
          all,
        );
      case 'not': {
        const { sure, unsure } = this.select(selector.inner, all);
        return { sure: unsure === undefined ? all.minus(sure) : all.minus(sure).minus(unsure), unsure };
      }
      case 'and':
        return selector.parts.map((part) => this.select(part, all)).reduce(intersect, { sure: all });
      case 'or':
        return selector.parts.map((part) => this.select(part, all)).reduce(unite, { sure: BitSet.empty(this.size) });
    }
  }

  private where(key: string, holds: (value: string) => boolean, whenAbsent: boolean, all: BitSet): Selection {
    let sure = BitSet.empty(this.size);
    let having = sure;
    for (const [value, holders] of this.values.get(key) ?? []) {
      having = having.or(holders);
      if (holds(value)) sure = sure.or(holders);
    }
    const prefix = key.slice(0, key.indexOf('.') + 1);
    const unsure = this.incompleteSets.get(prefix)?.minus(having);
    if (!whenAbsent) return { sure, unsure };
    const lacking = all.minus(having);
    return { sure: sure.or(unsure === undefined ? lacking : lacking.minus(unsure)), unsure };
  }
}

export function compareValue(
  operator: '==' | '!=' | 'contains' | 'starts with' | 'ends with',
  value: string,
  wanted: string,
): boolean {
  switch (operator) {
    case '==':
      return value === wanted;
    case '!=':
      return value !== wanted;
    case 'contains':
      return value.includes(wanted);
    case 'starts with':
      return value.startsWith(wanted);
    case 'ends with':
      return value.endsWith(wanted);
  }
}

function unite(a: Selection, b: Selection): Selection {
  const sure = a.sure.or(b.sure);
  if (a.unsure === undefined && b.unsure === undefined) return { sure };
  const none = sure.minus(sure);
  return { sure, unsure: (a.unsure ?? none).or(b.unsure ?? none).minus(sure) };
}
