import { join } from 'node:path';
import { z } from 'zod';
import { repositoryRoot } from '../../lab/traffic/script-path.js';
import { attempt, must } from '../world/command.js';
import { inside, namespaceName } from '../world/namespaces.js';
import { questionLine, type RouteQuestion, type RoutingCase } from './routing-case.js';

const Row = z.array(
  z.looseObject({
    type: z.string().optional(),
    gateway: z.string().optional(),
    via: z.object({ host: z.string() }).optional(),
    dev: z.string().optional(),
    prefsrc: z.string().optional(),
  }),
);

/**
 * What the kernel does with each question, in the words that hopscope's answer is put into too; undefined where it cannot be asked.
 * A question without a source is that of a socket: it is really connected, which tells the source or the error, and the
 * route is asked for with that source, as connect() does. A TCP socket would send; its two look-ups are asked for here.
 */
export function askKernel(one: RoutingCase): (string | undefined)[] {
  const connected = connectAll(one);
  const firstAsked = one.questions.map((question, index): RouteQuestion | undefined => {
    const answer = connected[index];
    if (answer === undefined) return question;
    if (!answer.startsWith('from ')) return undefined;
    return one.family === 4 ? withSource(question, answer.slice('from '.length)) : question;
  });
  const first = askRoutes(one, firstAsked);
  const secondAsked = one.questions.map((question, index): RouteQuestion | undefined => {
    if (!choosesSource(question)) return undefined;
    const { source, refused } = first[index] ?? {};
    if (one.family === 4)
      return connected[index] === undefined && source !== undefined ? withSource(question, source) : undefined;
    // ip6_dst_lookup_tail(): only a failed look-up is made again. With `from`, `ip route get` does not bind to `oif`.
    const chosen = connected[index];
    return refused === undefined || chosen === undefined || question.oif !== undefined
      ? undefined
      : withSource(question, chosen.slice('from '.length));
  });
  const second = askRoutes(one, secondAsked);
  return one.questions.map((question, index) => {
    const error = connected[index];
    if (error !== undefined && !error.startsWith('from ')) return error;
    const { to, source, refused } = second[index] ?? first[index] ?? {};
    if (!choosesSource(question)) return refused ?? to;
    if (one.family === 6 && first[index]?.refused !== undefined && second[index] === undefined) return undefined;
    const own = error?.slice('from '.length) ?? (one.family === 4 ? first[index]?.source : source);
    // Without an address to send from, `ip` names none.
    return refused ?? `${to} src ${own ?? (one.family === 4 ? '0.0.0.0' : '::')}`;
  });
}

/** Is the source left to the kernel? */
export function choosesSource({ iif, src }: RouteQuestion): boolean {
  return iif === undefined && src === undefined;
}

function withSource(question: RouteQuestion, src: string): RouteQuestion {
  return { ...question, src: /^(0\.0\.0\.0|::)$/.test(src) ? undefined : src };
}

const SCRIPT = join(repositoryRoot(), 'test', 'differential', 'routing', 'connect.pl');

/** `from ADDRESS` or the error, for the questions that a UDP socket can ask. */
function connectAll(one: RoutingCase): (string | undefined)[] {
  const asked = one.questions.map((question) => choosesSource(question) && question.protocol !== 'tcp');
  const lines = one.questions
    .filter((_, index) => asked[index])
    .map(({ dst, sport, dport, mark, oif, uid }) =>
      [dst, sport, dport, mark, oif, uid].map((word) => word ?? '-').join(' '),
    );
  const answers = must([...inside('routes'), 'perl', SCRIPT], lines.map((line) => `${line}\n`).join('')).split('\n');
  return asked.map((is) => (is ? answers.shift() : undefined));
}

interface RouteAnswer {
  readonly to?: string;
  readonly source?: string;
  readonly refused?: string;
}

function askRoutes(one: RoutingCase, questions: readonly (RouteQuestion | undefined)[]): (RouteAnswer | undefined)[] {
  const asked = questions.filter((question) => question !== undefined);
  if (asked.length === 0) return questions.map(() => undefined);
  const lines = asked.map(questionLine);
  const argv = ['ip', `-${one.family}`, '-n', namespaceName('routes'), '-j', '-force', '-batch', '-'];
  const { stdout, stderr } = attempt(argv, lines.join('\n'));
  const refused = refusals(stderr);
  const answers = documents(stdout);
  if (refused.size + answers.length !== lines.length)
    throw new Error(`differential: ${lines.length} questions, ${answers.length} answers: ${stderr}`);
  const given = asked.map((question, index) => {
    const error = refused.get(index + 1);
    return error === undefined ? routeAnswer(question, answers.shift()) : { refused: sameWords(error) };
  });
  return questions.map((question) => (question === undefined ? undefined : given.shift()));
}

/** Which of its checks refuses the source is no matter (EXDEV: rp_filter, EINVAL: martian). */
function sameWords(error: string): string {
  return error.replace('Invalid cross-device link', 'Invalid argument');
}

function routeAnswer(question: RouteQuestion, document: unknown): RouteAnswer {
  const { iif, dst } = question;
  const [row] = Row.parse(document);
  if (row === undefined) throw new Error(`differential: \`ip ${questionLine(question)}\` gave nothing`);
  const { type = 'unicast', gateway = row.via?.host, dev, prefsrc } = row;
  // Where a broadcast is delivered, `ip` names lo.
  const delivered = type === 'local' || (type === 'broadcast' && iif !== undefined);
  const via = gateway === undefined || gateway === dst || dev === 'lo' ? '' : ` via ${gateway}`;
  return { to: delivered ? type : `${type} ${dev}${via}`, source: prefsrc };
}

/** Line number of a refused question -> what the kernel answered. */
function refusals(stderr: string): Map<number, string> {
  const found = new Map<number, string>();
  let reason = '';
  for (const line of stderr.split('\n')) {
    const at = /^Command failed .*:(\d+)$/.exec(line)?.[1];
    if (at === undefined) reason = line.startsWith('Error: ') ? reason || line : line || reason;
    else {
      found.set(Number(at), reason.replace('RTNETLINK answers: ', ''));
      reason = '';
    }
  }
  return found;
}

function documents(stdout: string): unknown[] {
  // Each answer is an array; some versions of ip end it with a newline, others do not.
  const text = stdout.trim();
  return text === '' ? [] : text.split(/(?<=\])\s*(?=\[)/).map((part): unknown => JSON.parse(part));
}
