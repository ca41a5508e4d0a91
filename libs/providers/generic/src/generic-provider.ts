import { calico } from '#libs/cni/calico';
import { flannel } from '#libs/cni/flannel';
import { routed } from '#libs/cni/routed';
import { unknownCni } from '#libs/cni/unknown';
import { defineConfig } from '#libs/config';
import { composeNetwork } from '#libs/engine';
import type { CniPlugin, Provider } from '#libs/provider-kit';
import { z } from 'zod';
import { UnderlayShim } from './underlay-shim.js';
import { parseUnderlay, Underlay } from './underlay.js';

/** In order of preference: who is told by an agent of its own first, then what a network looks like; `unknown` is the last resort. */
const CNI_PLUGINS: readonly CniPlugin[] = [flannel, calico, routed, unknownCni];

const config = defineConfig({
  id: 'generic',
  title: 'Generic provider',
  schema: z.strictObject({
    underlay: Underlay.optional().meta({
      description: 'What the network between and outside the nodes does; wins over underlay.json of a snapshot.',
    }),
  }),
});

export const genericProvider: Provider<z.output<typeof config.schema>> = {
  name: 'generic',
  title: 'Any cluster: flannel, Calico, plain routes, or pods where their objects say',
  config,
  createNetwork: async ({ snapshot, settings, overrides }) => {
    const underlay = settings.underlay ?? parseUnderlay(snapshot.underlay);
    return composeNetwork({ snapshot, cniPlugins: CNI_PLUGINS, shim: new UnderlayShim(underlay), overrides });
  },
};
