import { ProviderRegistry } from '#libs/provider-kit';
import { genericProvider } from '#libs/providers/generic';

/** The providers of this program: one line each. */
export const providers = new ProviderRegistry([genericProvider]);
