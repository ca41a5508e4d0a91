import { PROXY_MODES } from '#libs/kube-proxy';
import { HopscopeError, parseCidr } from '#libs/model';
import type { ClusterOverrides } from '#libs/provider-kit';

/** What the command line and stored clusters may say for "detect it". */
const AUTO = 'auto';

/** The overrides that count, checked: a value that nobody understands must not be silently detected instead. */
export function checkedOverrides({ networkPlugin, proxyMode, clusterCidr }: ClusterOverrides): ClusterOverrides {
  const problems: string[] = [];
  const modes: readonly string[] = PROXY_MODES;
  if (proxyMode !== undefined && proxyMode !== AUTO && !modes.includes(proxyMode))
    problems.push(`proxy mode "${proxyMode}" is not known; there are: ${PROXY_MODES.join(', ')}, ${AUTO}`);
  for (const text of clusterCidr ?? [])
    if (parseCidr(text) === undefined) problems.push(`cluster CIDR "${text}" is no network, such as 10.244.0.0/16`);
  if (problems.length > 0) throw new HopscopeError('BAD_OVERRIDES', problems.join('; '));
  return {
    ...(networkPlugin === undefined || networkPlugin === AUTO ? {} : { networkPlugin }),
    ...(proxyMode === undefined || proxyMode === AUTO ? {} : { proxyMode }),
    ...(clusterCidr === undefined ? {} : { clusterCidr }),
  };
}
