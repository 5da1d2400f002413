import { createHmac, hash } from 'node:crypto';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** A request in the form that Signature Version 4 signs. */
export interface SignedForm {
  readonly method: string;
  /** Encoded as it is sent. */
  readonly path: string;
  /** Encoded, sorted by name. */
  readonly query: string;
  /** Sorted by name; names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** SHA-256 of the body in hex. */
  readonly bodyHash: string;
}

export interface Signer {
  /** Returns the scope that a key is valid for on the day of `time`. */
  scope(time: string): string;
  /**
   * Returns the signature in hex.
   *
   * @param time as `signingTime` writes it
   */
  sign(form: SignedForm, secretAccessKey: string, time: string): string;
}

/** Creates a signer for one service in one region, by Signature Version 4. The AWS SDK's takes seven times as long (ADR 89). */
export function createSigner(region: string, service: string): Signer {
  let cached: { readonly secret: string; readonly day: string; readonly key: Buffer } | undefined;

  const keyOf = (secret: string, day: string): Buffer => {
    if (cached?.secret === secret && cached.day === day) return cached.key;
    let key: string | Buffer = `AWS4${secret}`;
    for (const part of [day, region, service]) key = createHmac('sha256', key).update(part).digest();
    cached = { secret, day, key: createHmac('sha256', key).update('aws4_request').digest() };
    return cached.key;
  };
  const scope = (time: string) => `${time.slice(0, 8)}/${region}/${service}/aws4_request`;

  return {
    scope,
    sign(form, secret, time) {
      const text = `AWS4-HMAC-SHA256\n${time}\n${scope(time)}\n${sha256(canonical(form))}`;
      return createHmac('sha256', keyOf(secret, time.slice(0, 8)))
        .update(text)
        .digest('hex');
    },
  };
}

/** Writes a time like `20260131T235959Z`. */
export function signingTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}

export function signedHeaders({ headers }: Pick<SignedForm, 'headers'>): string {
  return headers.map(([name]) => name).join(';');
}

export function sha256(text: string): string {
  return hash('sha256', text);
}

function canonical(form: SignedForm): string {
  const { method, path, query, headers, bodyHash } = form;
  const lines = headers.map(([name, value]) => `${name}:${value}\n`).join('');
  return `${method}\n${path}\n${query}\n${lines}\n${signedHeaders(form)}\n${bodyHash}`;
}
