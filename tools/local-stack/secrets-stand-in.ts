import { readAll, type StandIn, startStandIn } from './stand-in-server.ts';

export interface SecretsStandIn extends StandIn {
  /** Replaces the values, as a rotation does. */
  setValues(values: Readonly<Record<string, unknown>>): void;
}

/** Secrets Manager's `GetSecretValue` for one secret. */
export async function startSecrets(
  secretId: string,
  initial: Readonly<Record<string, unknown>>,
  preferredPort?: number,
): Promise<SecretsStandIn> {
  let values = initial;
  const standIn = await startStandIn(async (request, response) => {
    const target = request.headers['x-amz-target'];
    const body: unknown = JSON.parse((await readAll(request)).toString('utf8') || '{}');
    const asked = typeof body === 'object' && body !== null && 'SecretId' in body ? body.SecretId : undefined;
    const found = target === 'secretsmanager.GetSecretValue' && asked === secretId;
    response.writeHead(found ? 200 : 400, { 'Content-Type': 'application/x-amz-json-1.1' });
    response.end(
      JSON.stringify(
        found
          ? { Name: secretId, SecretString: JSON.stringify(values) }
          : { __type: 'ResourceNotFoundException', message: "Secrets Manager can't find the specified secret." },
      ),
    );
  }, preferredPort);
  return {
    ...standIn,
    setValues(next) {
      values = next;
    },
  };
}
