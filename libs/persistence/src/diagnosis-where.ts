import { HopscopeError } from '#libs/model';
import { isRowId } from './database.js';
import type { Prisma } from './generated/client.js';
import type { DiagnosisFilter } from './records.js';
import { storableText } from './storable.js';

type Where = Prisma.DiagnosisWhereInput;

/** Undefined when the filter can match nothing (a run id that is no id). Throws INVALID_FILTER for times that are none. */
export function diagnosisWhere(filter: DiagnosisFilter): Where | undefined {
  if (filter.run !== undefined && !isRowId(filter.run)) return undefined;
  const all: Where[] = [];
  const { cluster, run, verdict, symptom, code, namespace, pod, service, node, ip, port } = filter;
  if (cluster !== undefined) all.push({ clusterName: storableText(cluster) });
  if (run !== undefined) all.push({ runId: run });
  if (verdict !== undefined) all.push({ verdict: { in: typeof verdict === 'string' ? [verdict] : [...verdict] } });
  if (symptom !== undefined) all.push({ symptom });
  if (code !== undefined) all.push({ codes: { has: storableText(code) } });
  if (namespace !== undefined) all.push(eitherEnd({ namespace }));
  if (pod !== undefined) all.push(eitherEnd(named('pod', pod)));
  if (service !== undefined) all.push(eitherEnd(named('service', service)));
  if (node !== undefined) all.push({ OR: [eitherEnd({ node }), eitherEnd({ kind: 'node', name: node })] });
  if (ip !== undefined) all.push(eitherEnd({ ip }));
  if (port !== undefined) all.push({ port });
  if (filter.pairKey !== undefined) all.push({ pairKey: storableText(filter.pairKey) });
  if (filter.workloadKey !== undefined) all.push({ workloadKey: storableText(filter.workloadKey) });
  if (filter.since !== undefined) all.push({ createdAt: { gte: time('since', filter.since) } });
  if (filter.until !== undefined) all.push({ createdAt: { lt: time('until', filter.until) } });
  return { AND: all };
}

interface End {
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly node?: string;
  readonly ip?: string;
}

function named(kind: string, text: string): End {
  const slash = text.indexOf('/');
  return slash < 0 ? { kind, name: text } : { kind, namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}

function eitherEnd(end: End): Where {
  const clean = (text: string | undefined) => (text === undefined ? undefined : storableText(text));
  const [kind, namespace, name, node, ip] = [end.kind, end.namespace, end.name, end.node, end.ip].map(clean);
  return {
    OR: [
      { sourceKind: kind, sourceNamespace: namespace, sourceName: name, sourceNode: node, sourceIp: ip },
      {
        destinationKind: kind,
        destinationNamespace: namespace,
        destinationName: name,
        destinationNode: node,
        destinationIp: ip,
      },
    ],
  };
}

function time(name: string, text: string): Date {
  const at = new Date(text);
  if (Number.isNaN(at.getTime()))
    throw new HopscopeError('INVALID_FILTER', `${name} "${text.slice(0, 40)}" is not a time as in RFC 3339`, {
      problems: [{ path: `/${name}`, code: 'INVALID_FILTER', message: 'is not a time as in RFC 3339' }],
    });
  return at;
}
