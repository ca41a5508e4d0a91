import { describeLocator, type Evidence } from './evidence.js';
import type { Place } from './place.js';
import { undoRule } from './rule-authors.js';

/** What a finding gives to its texts. */
interface TextFacts {
  readonly subject: Place;
  readonly evidence: readonly Evidence[];
  readonly details?: Readonly<Record<string, string | number>>;
}

/** What a hole stands for; undefined or empty: the finding does not have it. */
type Holes = (name: string) => string | number | undefined;

/** A literal, a hole, or a part that is left out when one of its holes is empty. */
type Part = string | { readonly hole: string } | { readonly optional: readonly Part[] };

const PIECES = /\[([^[\]]*\{\w+\}[^[\]]*)\]|\{(\w+)\}/g;

/** Bulk runs make the same texts over and over, so each template is taken apart once. */
const PARSED = new Map<string, readonly Part[]>();

/**
 * Fills `{holes}`; what stands in `[brackets]` is left out when one of its holes has no value.
 * A hole without a value elsewhere stays visible as `<hole>`, as in a man page: it never looks like a fact.
 */
export function fillText(template: string, holes: Holes): string {
  let parts = PARSED.get(template);
  if (parts === undefined) {
    parts = parse(template);
    PARSED.set(template, parts);
  }
  const text = parts.map((part) => show(part, holes)).join('');
  return template.startsWith('{at}') ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}

function parse(template: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const match of template.matchAll(PIECES)) {
    const [piece, optional, hole] = match;
    if (match.index > end) parts.push(template.slice(end, match.index));
    if (optional !== undefined) parts.push({ optional: parse(optional) });
    else if (hole !== undefined) parts.push({ hole });
    end = match.index + piece.length;
  }
  if (end < template.length) parts.push(template.slice(end));
  return parts;
}

function show(part: Part, holes: Holes): string {
  if (typeof part === 'string') return part;
  if ('hole' in part) return valueOf(part.hole, holes) ?? `<${part.hole}>`;
  const shown: string[] = [];
  for (const inner of part.optional) {
    const text = typeof inner === 'string' ? inner : 'hole' in inner ? valueOf(inner.hole, holes) : show(inner, holes);
    if (text === undefined) return '';
    shown.push(text);
  }
  return shown.join('');
}

function valueOf(hole: string, holes: Holes): string | undefined {
  const value = holes(hole);
  return value === undefined || value === '' ? undefined : String(value);
}

/** The holes that follow from subject and evidence (suspicion-codes/holes.ts), and those of the finder, who may know better. */
export function holesOf({ subject, evidence, details }: TextFacts): Holes {
  const [first, second] = evidence;
  // Made when a text asks for it: most texts have three holes.
  return (name) => {
    if (details !== undefined && Object.hasOwn(details, name)) return details[name];
    switch (name) {
      case 'subject':
        return describeSubject(subject);
      case 'at':
        return whereToAct(subject);
      case 'name':
        return subject.name;
      case 'namespace':
        return subject.namespace;
      case 'node':
        return subject.node ?? (subject.kind === 'node' ? subject.name : undefined);
      case 'interface':
        return subject.interface;
      case 'locator':
        return first?.locator;
      case 'text':
        return first?.text;
      case 'alsoText':
        return second?.text;
      case 'rule':
        return first === undefined ? undefined : describeLocator(first);
      case 'ruleAt': {
        const rule = evidence.find(({ kind }) => kind === 'rule' || kind === 'chain');
        return rule === undefined ? undefined : `${describeLocator(rule)} ${whereToAct(rule.at)}`;
      }
      case 'undo':
        return first === undefined ? undefined : undoRule(first, details?.command);
      case 'priority':
        return first?.kind === 'policy-rule' ? first.locator.replace('rule/', '') : undefined;
      default:
        return undefined;
    }
  };
}

function describeSubject(place: Place): string {
  const name = place.namespace === undefined ? place.name : `${place.namespace}/${place.name}`;
  return place.interface === undefined ? `${place.kind} ${name}` : `${place.interface} of ${place.kind} ${name}`;
}

function whereToAct(place: Place): string {
  const inside = place.kind === 'pod' || place.kind === 'network';
  return `${inside ? 'in' : 'on'} ${describeSubject({ ...place, interface: undefined })}`;
}

const COMMAND = /^(ip|ip6tables|iptables|ipset|ipvsadm|bridge|sysctl|nft|tc|conntrack|ethtool|modprobe) /;

/** A remedy of the finder: a bare command is of no use without the place where it is to be run. */
export function placeRemedy(remedy: string, subject: Place): string {
  const node = subject.node ?? (subject.kind === 'node' ? subject.name : undefined);
  if (!COMMAND.test(remedy)) return node === undefined ? remedy : remedy.replace(/\bon the node\b/, `on node ${node}`);
  const where = whereToAct(subject);
  return `${where.charAt(0).toUpperCase()}${where.slice(1)}: ${remedy}`;
}
