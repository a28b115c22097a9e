/**
 * What only a service refuses: who may not ask, and what is not taken.
 */
import { SamaraError } from "../errors.js";

/** No or a wrong token. */
export class UnauthorisedError extends SamaraError {
  readonly code = "unauthorised";
}

/** A request that another site makes in the user's browser. */
export class ForbiddenError extends SamaraError {
  readonly code = "forbidden";
}

/** A body that is larger than its route takes. */
export class TooLargeError extends SamaraError {
  readonly code = "too-large";
}

/** A body of another kind than its route takes. */
export class MediaTypeError extends SamaraError {
  readonly code = "media-type";
}

/** A path that has other methods. */
export class MethodError extends SamaraError {
  readonly code = "method-not-allowed";
}

/** What cannot be done in the state that a thing is in. */
export class ConflictError extends SamaraError {
  readonly code = "conflict";
}
