import type { z } from 'zod';
import { callWithRetries, failureOf, type CallContext } from './call-with-retries.js';
import { CloudCallError } from './cloud-call-error.js';
import type { CredentialSource } from './credential-source.js';
import { raceSignal } from './deadline.js';
import type { CallParameters, Sdk, SdkAction } from './sdk-calls.js';

/** Connects when the first call is made; a connection that failed is tried anew by the next call. */
export class LazySdk {
  private connecting: Promise<Sdk> | undefined;

  constructor(private readonly connect: () => Promise<Sdk>) {}

  get(): Promise<Sdk> {
    this.connecting ??= this.connect().catch((cause: unknown) => {
      this.connecting = undefined;
      const why = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
      const text = `Alibaba Cloud's SDK could not be loaded${why}; are the packages @alicloud/* installed?`;
      throw new CloudCallError('unavailable', 'load', text, { final: true });
    });
    return this.connecting;
  }
}

/** Calls of one account in one region during one look-up, each with retries and checked by a schema. */
export class CloudApi {
  constructor(
    private readonly sdk: LazySdk,
    private readonly credentials: CredentialSource,
    private readonly context: CallContext,
  ) {}

  async call<T>(action: SdkAction, parameters: CallParameters, schema: z.ZodType<T>): Promise<T> {
    try {
      return this.parse(action, schema, await this.attempt(action, parameters));
    } catch (error) {
      if (!(error instanceof CloudCallError) || !endedSession(error)) throw error;
      // A session can be taken away before it says that it ends: once more, with a new one.
      this.credentials.renew();
      return this.parse(action, schema, await this.attempt(action, parameters));
    }
  }

  private async attempt(action: SdkAction, parameters: CallParameters): Promise<unknown> {
    const { deadline } = this.context;
    // Loading the SDK takes seconds on a busy machine: that is no call's time, but the look's.
    const sdk = await raceSignal(this.sdk.get(), deadline.signal).catch((error: unknown) => {
      throw failureOf(action, error, deadline);
    });
    const once = async (timeoutMs: number): Promise<unknown> => {
      // Looked for apart from the call, so that "no keys" is told from "the call failed".
      await this.credentials.get().catch((error: unknown) => {
        throw noKeys(action, error);
      });
      return sdk[action](parameters, timeoutMs);
    };
    return callWithRetries(action, once, this.context).catch((error: unknown) => {
      throw error instanceof CloudCallError ? withoutSecrets(error, this.credentials.secrets) : error;
    });
  }

  private parse<T>(action: SdkAction, schema: z.ZodType<T>, answer: unknown): T {
    const parsed = schema.safeParse(answer);
    if (parsed.success) return parsed.data;
    const [first] = parsed.error.issues;
    const where = first === undefined ? '' : ` (at ${first.path.join('.') || 'its root'})`;
    throw new CloudCallError('malformed', action, `${action} got an answer that is not what the API documents${where}`);
  }
}

/** The cloud's own words are passed on; should they repeat what we sent, that is taken out. */
function withoutSecrets(error: CloudCallError, secrets: readonly string[]): CloudCallError {
  const shown = secrets.reduce((text, secret) => text.replaceAll(secret, '(secret)'), error.message);
  return shown === error.message ? error : new CloudCallError(error.kind, error.action, shown, error.details);
}

const endedSession = ({ kind, details }: CloudCallError): boolean =>
  kind === 'auth' && details.code?.startsWith('InvalidSecurityToken.Expired') === true;

/** The texts of the credentials package contain whole files and answers: none of them is passed on. */
function noKeys(action: string, error: unknown): CloudCallError {
  const text = `${action} was not made: no credentials could be got`;
  const message = error instanceof Error ? error.message : '';
  if (/EntityNotExist|AuthenticationFail|NoPermission/.test(message)) {
    return new CloudCallError('auth', action, `${text}, STS refused the role or its token`);
  }
  return new CloudCallError('auth', action, `${text}; check the keys of the cluster, or the role of the worker`);
}
