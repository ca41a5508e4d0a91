import { z } from 'zod';
import { attempt } from '../world/command.js';
import { namespaceName } from '../world/namespaces.js';
import { questionLine, type RoutingCase } from './routing-case.js';

const Row = z.array(
  z.looseObject({
    type: z.string().optional(),
    gateway: z.string().optional(),
    via: z.object({ host: z.string() }).optional(),
    dev: z.string().optional(),
    prefsrc: z.string().optional(),
  }),
);

/** What `ip route get` said of each question, in the words that hopscope's answer is put into too. */
export function askKernel(one: RoutingCase): string[] {
  const lines = one.questions.map(questionLine);
  const argv = ['ip', `-${one.family}`, '-n', namespaceName('routes'), '-j', '-force', '-batch', '-'];
  const { stdout, stderr } = attempt(argv, lines.join('\n'));
  const refused = refusals(stderr);
  const answers = documents(stdout);
  if (refused.size + answers.length !== lines.length)
    throw new Error(`differential: ${lines.length} questions, ${answers.length} answers: ${stderr}`);
  // Without an address to send from, `ip` names none.
  const none = one.family === 4 ? '0.0.0.0' : '::';
  return one.questions.map(({ iif, src, dst }, index) => {
    // Which of its checks refuses the source is no matter (EXDEV: rp_filter, EINVAL: martian).
    const error = refused.get(index + 1)?.replace('Invalid cross-device link', 'Invalid argument');
    if (error !== undefined) return error;
    const [row] = Row.parse(answers.shift());
    if (row === undefined) throw new Error(`differential: \`ip ${lines[index]}\` gave nothing`);
    const { type = 'unicast', gateway = row.via?.host, dev, prefsrc } = row;
    // Where a broadcast is delivered, `ip` names lo.
    const delivered = type === 'local' || (type === 'broadcast' && iif !== undefined);
    const to = delivered ? type : `${type} ${dev}${gateway === undefined || gateway === dst ? '' : ` via ${gateway}`}`;
    return iif === undefined && src === undefined ? `${to} src ${prefsrc ?? none}` : to;
  });
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
