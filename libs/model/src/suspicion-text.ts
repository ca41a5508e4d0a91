import { describeLocator, type Evidence } from './evidence.js';
import type { Place } from './place.js';
import { undoRule } from './rule-authors.js';

/** What a finding gives to its texts. */
interface TextFacts {
  readonly subject: Place;
  readonly evidence: readonly Evidence[];
  readonly details?: Readonly<Record<string, string | number>>;
}

type Holes = Readonly<Record<string, string | number | undefined>>;

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
  if ('hole' in part) return has(holes, part.hole) ? String(holes[part.hole]) : `<${part.hole}>`;
  const complete = part.optional.every(
    (inner) => typeof inner === 'string' || !('hole' in inner) || has(holes, inner.hole),
  );
  return complete ? part.optional.map((inner) => show(inner, holes)).join('') : '';
}

function has(holes: Holes, name: string): boolean {
  return Object.hasOwn(holes, name) && holes[name] !== undefined && holes[name] !== '';
}

/** The holes that follow from subject and evidence (suspicion-codes/holes.ts), and those of the finder, who may know better. */
export function holesOf({ subject, evidence, details }: TextFacts): Holes {
  const [first, second] = evidence;
  const rule = evidence.find(({ kind }) => kind === 'rule' || kind === 'chain');
  return {
    subject: describeSubject(subject),
    at: whereToAct(subject),
    name: subject.name,
    namespace: subject.namespace,
    node: subject.node ?? (subject.kind === 'node' ? subject.name : undefined),
    interface: subject.interface,
    locator: first?.locator,
    text: first?.text,
    alsoText: second?.text,
    rule: first === undefined ? undefined : describeLocator(first),
    ruleAt: rule === undefined ? undefined : `${describeLocator(rule)} ${whereToAct(rule.at)}`,
    undo: first === undefined ? undefined : undoRule(first, details?.command),
    priority: first?.kind === 'policy-rule' ? first.locator.replace('rule/', '') : undefined,
    ...details,
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
  if (!COMMAND.test(remedy)) return remedy;
  const where = whereToAct(subject);
  return `${where.charAt(0).toUpperCase()}${where.slice(1)}: ${remedy}`;
}
