/** A service refused a call or failed. `name` is the service's own name for it, as in the AWS SDK. */
export class ServiceError extends Error {
  readonly $metadata: { readonly httpStatusCode: number };

  constructor(name: string, message: string, httpStatusCode: number) {
    super(message);
    this.name = name;
    this.$metadata = { httpStatusCode };
  }
}

/** A connection or an answer took too long. */
export class CallTimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

/** An answer is not what the service sent, or not in its format. */
export class BrokenAnswerError extends Error {
  override readonly name = 'BrokenAnswerError';
  /** Marks it as a network error, worth another attempt. */
  readonly code = 'EBADMSG';
}

/** What DynamoDB adds to some errors. */
const DETAILS = ['CancellationReasons', 'Item'] as const;

/** Reads an answer that is not a success. */
export function serviceError(status: number, typeHeader: unknown, body: string): ServiceError {
  const fields = fieldsIn(body);
  const type = [typeHeader, fields['__type'], fields['code']].find((one) => typeof one === 'string');
  const message = fields['message'] ?? fields['Message'];
  const error = new ServiceError(
    nameIn(typeof type === 'string' ? type : ''),
    typeof message === 'string' ? message : `status ${status}`,
    status,
  );
  const details = DETAILS.filter((name) => name in fields).map((name) => [name, fields[name]] as const);
  return Object.assign(error, Object.fromEntries(details));
}

/** The name may stand between a namespace and an address: `com.amazonaws.dynamodb.v20120810#Name:http://…`. */
function nameIn(type: string): string {
  const [name = ''] = type.split(/[,:]/);
  return name.slice(name.indexOf('#') + 1) || 'UnknownError';
}

/** A load balancer's answer is a page, not JSON: then only its status is known. */
function fieldsIn(body: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}
