import type { HopscopeError } from '#libs/model';

/** Where the form of the code does not say it. */
const STATUS: Readonly<Record<string, number>> = {
  INVALID_JSON: 400,
  INVALID_REQUEST: 400,
  HOST_NOT_ALLOWED: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  NOT_ACCEPTABLE: 406,
  RUN_STATE_CONFLICT: 409,
  UNSUPPORTED_MEDIA_TYPE: 415,
  VALIDATION_FAILED: 422,
  IDEMPOTENCY_KEY_REUSED: 422,
  ACCESS_KIND_UNSUPPORTED: 422,
  NO_SNAPSHOT: 422,
};

// In this order: the first that fits decides.
const FORMS: readonly (readonly [RegExp, number])[] = [
  [/_NOT_FOUND$/, 404],
  [/_EXISTS$/, 409],
  [/_CONFLICT$/, 409],
  [/_TOO_LARGE$/, 413],
  [/^(INVALID|UNKNOWN|SNAPSHOT|ARCHIVE|REFERENCE)_/, 422],
];

/** The HTTP status of one of our errors. What has no form is ours to answer for: 503 when trying again may help, else 500. */
export function statusOfError(error: HopscopeError): number {
  const known = STATUS[error.code];
  if (known !== undefined) return known;
  const form = FORMS.find(([pattern]) => pattern.test(error.code));
  if (form !== undefined) return form[1];
  if (error.problems.length > 0) return 422;
  return error.retryable ? 503 : 500;
}
