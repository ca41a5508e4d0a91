/** Why a call gave no answer. What the user can do about it differs for each. */
export type CallFailure =
  /** The keys are wrong, disabled or expired, or there are none. */
  | 'auth'
  /** The keys are right, RAM does not allow the action. */
  | 'forbidden'
  | 'throttled'
  | 'not-found'
  /** The other side is broken, closed the connection, or cannot be reached. */
  | 'unavailable'
  | 'timeout'
  /** An answer came that is not what the API documents. */
  | 'malformed'
  /** The cloud does not take our parameters: a mistake of ours, or a region that does not exist. */
  | 'bad-request';

/** A call of the cloud's API that failed, without anything secret in it. */
export class CloudCallError extends Error {
  override readonly name = 'CloudCallError';

  constructor(
    readonly kind: CallFailure,
    readonly action: string,
    message: string,
    readonly details: {
      /** The cloud's own error code (`Forbidden.RAM`). */
      readonly code?: string;
      readonly requestId?: string;
      /** How long the cloud asks to be left alone, in milliseconds. */
      readonly retryAfterMs?: number;
      /** The answer was cut or no JSON at all: the next one may be whole. */
      readonly garbled?: boolean;
      /** Nothing is left to try it with. */
      readonly final?: boolean;
    } = {},
  ) {
    super(message);
  }

  /** True when the same call may well succeed a little later. */
  get retryable(): boolean {
    if (this.details.final === true) return false;
    return ['throttled', 'unavailable', 'timeout'].includes(this.kind) || this.details.garbled === true;
  }
}
