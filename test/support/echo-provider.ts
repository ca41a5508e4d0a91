import { defineConfig } from '#libs/config';
import { formatEndpointRef, suspect, type Diagnosis, type DiagnosisRequest, type Endpoint } from '#libs/model';
import type { Provider } from '#libs/provider-kit';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

const Settings = z.strictObject({
  delayMs: z.int().min(0).max(1000).default(0).describe('How long one answer takes.'),
  token: z.string().optional().meta({ secret: true, description: 'Something that must never be shown.' }),
});
type Settings = z.output<typeof Settings>;

const NODE = { kind: 'node', name: 'node1' };

/**
 * A provider whose answers follow from the question alone, as slow as asked: what is between HTTP and the engine can be tested
 * without the engine. Port 80 is reachable, 666 makes it throw, everything else is dropped by a rule.
 */
export const echoProvider: Provider<Settings> = {
  name: 'echo',
  title: 'Answers by port (tests)',
  config: defineConfig({ id: 'echo', title: 'Echo', schema: Settings }),
  async createNetwork({ settings }) {
    const diagnose = async (request: DiagnosisRequest, signal?: AbortSignal) => {
      if (settings.delayMs > 0) await sleep(settings.delayMs, undefined, { signal });
      if (request.port === 666) throw new Error('the engine of the tests fails on this \u0000');
      return answer(request);
    };
    return {
      diagnose,
      async *diagnoseMany(requests, signal) {
        for (const request of requests) yield await diagnose(request, signal);
      },
    };
  },
};

function answer(request: DiagnosisRequest): Diagnosis {
  const source = endpoint(request.source);
  const destination = endpoint(request.destination);
  const port = Number(request.port);
  const reachable = port === 80;
  const evidence = [{ kind: 'rule', at: NODE, locator: 'filter/FORWARD/3', text: '-A FORWARD -j DROP' }] as const;
  const drop = suspect({ code: 'FILTER_DROP', subject: NODE, evidence, blocking: true });
  const suspicions = reachable ? [] : [drop];
  const packet = { src: '10.244.1.2', dst: '10.244.2.2', protocol: request.protocol, destinationPort: port };
  return {
    source,
    destination,
    port,
    protocol: request.protocol,
    ...(request.sourcePort === undefined ? {} : { sourcePort: request.sourcePort }),
    verdict: reachable ? 'reachable' : 'unreachable',
    symptom: reachable ? 'connected' : 'timeout',
    branches: [
      {
        probability: 1,
        ...(reachable ? { backend: `10.244.2.2:${port}` } : {}),
        symptom: reachable ? 'connected' : 'timeout',
        disposition: reachable ? 'accepted' : 'denied',
        at: NODE,
        sourceSeen: reachable ? packet.src : null,
      },
    ],
    blocking: suspicions,
    suspicions,
    skipped: [],
    assumptions: [],
    forward: [
      {
        probability: 1,
        disposition: reachable ? 'accepted' : 'denied',
        hops: [{ at: NODE, steps: [{ kind: 'filter', text: `the packet to port ${port}`, before: packet }] }],
      },
    ],
    reply: [],
    path: {
      nodes: [
        { id: 'a', kind: source.kind, name: source.ref, actions: ['send'], suspicions: [] },
        { id: 'b', kind: 'node', name: 'node1', actions: ['forward'], suspicions: suspicions.map(({ code }) => code) },
      ],
      links: [{ from: 'a', to: 'b', type: 'veth', direction: 'forward', packet }],
    },
    engineVersion: 'echo',
  };
}

function endpoint(ref: DiagnosisRequest['source']): Endpoint {
  const text = formatEndpointRef(ref);
  if (ref.kind === 'pod' || ref.kind === 'service')
    return { kind: ref.kind, namespace: ref.namespace, name: ref.name, ip: '10.244.1.2', node: 'node1', ref: text };
  if (ref.kind === 'node') return { kind: 'node', name: ref.name, ip: '10.0.0.1', ref: text };
  return { kind: 'external', ip: text.replace('external/', ''), ref: text };
}
