import { HopscopeError } from '#libs/model';
import { DumpError } from '../../libs/netstack/src/parse/dump-file.js';

/** What went wrong with one input. */
export interface Failure {
  /** crash: another error than those that are documented; vague: an error that does not say where. */
  readonly kind: 'crash' | 'slow' | 'broken' | 'pollution' | 'vague' | 'hang' | 'memory';
  readonly message: string;
  /** Equal for what is probably the same defect. */
  readonly signature: string;
}

export function fail(kind: Failure['kind'], message: string, frame = ''): Failure {
  const general = message.replace(/"[^"]*"|[\d.]+|[0-9a-f]{8,}/g, '#').slice(0, 160);
  return { kind, message: message.slice(0, 600), signature: `${kind} ${general} ${frame}` };
}

/** C0 and C1 controls but the line feed, marks that turn the direction of text, halves of surrogate pairs. */
const UNPRINTABLE = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/u;

/** The two kinds of errors that an input may cause: undefined when this one says what and where. */
export function judgeError(error: unknown): Failure | undefined {
  if (error instanceof DumpError) {
    if (!/^[a-z0-9-]+\.(json|txt)(:\d+)?: \S/.test(error.message)) return fail('vague', `no file: ${error.message}`);
    if (!saysWhere(error)) return vague(`no line or pointer: ${error.message}`);
    return error.message.length > 1_000 ? fail('vague', `${error.message.length} characters of message`) : undefined;
  }
  if (error instanceof HopscopeError) {
    if (UNPRINTABLE.test(error.message)) return fail('vague', `control characters: ${JSON.stringify(error.message)}`);
    return error.message.length > 20_000
      ? fail('vague', `${error.code}: ${error.message.length} characters`)
      : undefined;
  }
  if (!(error instanceof Error)) return fail('crash', `threw ${String(error)}`);
  const frame = /\n\s+at (?:.*\()?(?:file:\/\/)?\S*?(libs\/[^:)]+:\d+)/.exec(error.stack ?? '')?.[1] ?? '';
  return fail('crash', `${error.name}: ${error.message} at ${frame}`, frame);
}

/** Names in the message differ from input to input; its first words do not. */
function vague(message: string): Failure {
  return {
    ...fail('vague', message),
    signature: `vague ${message.split(' ').slice(0, 7).join(' ').replace(/\d+/g, '#')}`,
  };
}

/** `:12`, `/3/dst`, `filter/FORWARD/3`, or the position that JSON.parse names. */
function saysWhere({ message }: DumpError): boolean {
  return /\.(json|txt):\d+: |: \/|: [a-z]+\/[^ ]+\/\d+: |position \d+|Unexpected end|not valid JSON/.test(message);
}

const NAMES = [Object.prototype, Array.prototype, Function.prototype, Map.prototype].map((prototype) => ({
  prototype,
  names: Object.getOwnPropertyNames(prototype).length,
}));

export function pollution(): Failure | undefined {
  for (const { prototype, names } of NAMES)
    if (Object.getOwnPropertyNames(prototype).length !== names)
      return fail('pollution', `a prototype has new members: ${Object.keys(prototype).join(', ')}`);
  return undefined;
}
