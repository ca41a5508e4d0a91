import { formatIp } from '#libs/model';
import type { FlowEnd, PolicyFlow } from './flow.js';
import type { PolicyIndex } from './policy-index.js';
import { formatPolicyRef } from './policy-ref.js';
import type { DirectionVerdict } from './verdict.js';

/** Labels that belong to one generation of pods and would not outlive it. */
const PASSING = new Set([
  'pod-template-hash',
  'controller-revision-hash',
  'pod-template-generation',
  'statefulset.kubernetes.io/pod-name',
  'apps.kubernetes.io/pod-index',
  'batch.kubernetes.io/controller-uid',
  'controller-uid',
  'job-name',
  'batch.kubernetes.io/job-name',
]);

/** What to change: the rule that lets this connection through, ready to be pasted, or the rule that stands in its way. */
export function suggestAllowance(
  index: PolicyIndex,
  flow: PolicyFlow,
  { direction, reason }: DirectionVerdict,
): string {
  if (reason.kind === 'rule') {
    const { ref, path, family } = reason.rule;
    const how = family === 'kubernetes' ? 'Change' : 'Remove or narrow';
    return `${how} ${path.replace(/\.(from|to|ports|protocols)\[.*$/, '')} of ${formatPolicyRef(ref)}, or allow the connection in a rule that is asked before it.`;
  }
  if (reason.kind !== 'default-deny') return 'Allow the connection in a policy of the host endpoint or in its profile.';
  const [policy] = reason.policies;
  if (policy === undefined) return '';
  const other = direction === 'ingress' ? flow.source : flow.destination;
  const { kind, namespace, name } = policy.ref;
  if (policy.family === 'calico')
    return `Add to spec.${direction} of ${formatPolicyRef(policy.ref)} a rule with action Allow: ${JSON.stringify(calicoRule(index, flow, other, direction))}`;
  const rule = {
    [direction === 'ingress' ? 'from' : 'to']: [peer(index, other)],
    ...(flow.port === undefined ? {} : { ports: [{ protocol: flow.protocol.toUpperCase(), port: flow.port }] }),
  };
  return `Add to spec.${direction} (kubectl edit ${kind.toLowerCase()} -n ${namespace ?? 'default'} ${name}): ${JSON.stringify(rule)}`;
}

function peer(index: PolicyIndex, end: FlowEnd): Readonly<Record<string, unknown>> {
  const [pod] = index.podsOf(end);
  if (pod === undefined) return { ipBlock: { cidr: `${formatIp(end.ip)}/${typeof end.ip === 'number' ? 32 : 128}` } };
  return {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': pod.namespace } },
    podSelector: { matchLabels: lastingLabels(pod.labels) },
  };
}

function calicoRule(index: PolicyIndex, flow: PolicyFlow, end: FlowEnd, direction: 'ingress' | 'egress') {
  const [pod] = index.podsOf(end);
  const selector = Object.entries(lastingLabels(pod?.labels ?? {}))
    .map(([key, value]) => `${key} == '${value}'`)
    .join(' && ');
  const who =
    pod === undefined
      ? { nets: [`${formatIp(end.ip)}/${typeof end.ip === 'number' ? 32 : 128}`] }
      : {
          namespaceSelector: `projectcalico.org/name == '${pod.namespace}'`,
          ...(selector === '' ? {} : { selector }),
        };
  const ports = flow.port === undefined ? {} : { ports: [flow.port] };
  return {
    action: 'Allow',
    protocol: flow.protocol.toUpperCase(),
    ...(direction === 'ingress' ? { source: who, destination: ports } : { destination: { ...who, ...ports } }),
  };
}

function lastingLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !PASSING.has(key)));
}
