/**
 * What became of a message that was handed to a service. `gone`: the receiver does not exist any more. `later`: the
 * service is busy or did not answer; it may have taken the message all the same. `refused`: trying again is useless.
 */
export type SendOutcome = 'sent' | 'gone' | 'later' | 'refused';

const TOO_MANY = 429;
const TIMED_OUT = 408;

export function outcomeOf(status: number): 'sent' | 'later' | 'refused' {
  if (status >= 200 && status < 300) return 'sent';
  return status === TOO_MANY || status === TIMED_OUT || status >= 500 ? 'later' : 'refused';
}

const FORBIDDEN = 403;
/** Services that speak of it in words answer with 400. */
const THROTTLED = /Throttl|Rate exceeded/i;

/**
 * The outcome of a call of AWS. What it forbids is a fault of ours, such as a missing right or a key that has just
 * expired, which is mended sooner than a message is out of date.
 */
export function awsOutcomeOf(status: number, body: string): 'sent' | 'later' | 'refused' {
  const outcome = outcomeOf(status);
  return outcome === 'refused' && (status === FORBIDDEN || THROTTLED.test(body)) ? 'later' : outcome;
}
