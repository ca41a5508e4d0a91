import { instanceRefs } from './instance-refs.js';
import { loadBalancerRefs } from './load-balancer-refs.js';

const node = (name: string, providerID?: string) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
  spec: providerID === undefined ? {} : { providerID },
});

interface ServiceSketch {
  readonly type?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly loadBalancerClass?: string;
  readonly ingress?: readonly object[];
}

const service = ({ type = 'LoadBalancer', labels, annotations, loadBalancerClass, ingress }: ServiceSketch) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop', labels, annotations },
  spec: { type, loadBalancerClass },
  status: ingress === undefined ? {} : { loadBalancer: { ingress } },
});

describe('instanceRefs', () => {
  it.each([
    ['cn-hangzhou.i-bp1abc', { region: 'cn-hangzhou', instanceId: 'i-bp1abc' }],
    ['alicloud://ap-southeast-1.i-t4n0', { region: 'ap-southeast-1', instanceId: 'i-t4n0' }],
  ])('reads %s', (providerId, expected) => {
    expect(instanceRefs([node('n', providerId)]).instances).toEqual([{ node: 'n', ...expected }]);
  });

  it.each(['ack-hybrid://n', 'aws:///eu-1a/i-1', 'cn-hangzhou.i-1/../x', 'http://evil.example/cn-x.i-1', undefined])(
    'takes no instance from %s, and says which node it is',
    (providerId) => {
      expect(instanceRefs([node('n', providerId)])).toEqual({ instances: [], foreign: [{ node: 'n', providerId }] });
    },
  );
});

describe('loadBalancerRefs', () => {
  it.each<[string, ServiceSketch, object]>([
    [
      'the label of the cloud controller first',
      {
        labels: { 'service.k8s.alibaba/loadbalancer-id': 'lb-1' },
        annotations: { 'service.beta.kubernetes.io/alibaba-cloud-loadbalancer-id': 'lb-2' },
        ingress: [{ ip: '47.0.0.1' }],
      },
      { kind: 'clb', id: 'lb-1', addresses: ['47.0.0.1'], hostnames: [] },
    ],
    [
      'the annotation of the user, also the old one',
      { annotations: { 'service.beta.kubernetes.io/alicloud-loadbalancer-id': 'lb-2' } },
      { kind: 'clb', id: 'lb-2', addresses: [], hostnames: [] },
    ],
    [
      'the address in the status',
      { ingress: [{ ip: '47.0.0.1' }] },
      { kind: 'clb', addresses: ['47.0.0.1'], hostnames: [] },
    ],
    [
      'a network load balancer by its class',
      { loadBalancerClass: 'alibabacloud.com/nlb', ingress: [{ hostname: 'nlb-x.cn-x.nlb.aliyuncs.com' }] },
      { kind: 'nlb', addresses: [], hostnames: ['nlb-x.cn-x.nlb.aliyuncs.com'] },
    ],
    [
      'a network load balancer by its id',
      { labels: { 'service.k8s.alibaba/loadbalancer-id': 'nlb-1' } },
      { kind: 'nlb', id: 'nlb-1', addresses: [], hostnames: [] },
    ],
  ])('finds %s', (_what, sketch, expected) => {
    expect(loadBalancerRefs([service(sketch)])).toEqual([{ namespace: 'shop', name: 'web', ...expected }]);
  });

  it.each<[string, ServiceSketch]>([
    ['of another type', { type: 'NodePort', ingress: [{ ip: '47.0.0.1' }] }],
    ['of another class', { loadBalancerClass: 'metallb', ingress: [{ ip: '10.0.0.1' }] }],
    [
      'that another controller manages',
      { annotations: { 'service.beta.kubernetes.io/class': 'x' }, ingress: [{ ip: '1.1.1.1' }] },
    ],
    ['without any balancer yet', {}],
  ])('leaves out a service %s', (_what, sketch) => {
    expect(loadBalancerRefs([service(sketch)])).toEqual([]);
  });
});
