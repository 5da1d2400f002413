import * as z from 'zod';
import { readAll, type StandIn, startStandIn } from '../stand-in-server.ts';

export interface SecretsStandIn extends StandIn {
  /** Replaces the values of the first secret, like a rotation. */
  setValues(values: Readonly<Record<string, unknown>>): void;
}

interface Kept {
  readonly text: string;
  /** Seconds since 1970, as in the real service; unknown for initial secrets. */
  readonly writtenAt?: number;
}

const Asked = z.object({
  SecretId: z.string().optional(),
  Name: z.string().optional(),
  SecretString: z.string().optional(),
});

type Outcome = { readonly ok: object } | { readonly refused: string; readonly message: string };

/** Secrets Manager: reads, creates and replaces secrets. */
export async function startSecrets(
  secretId: string,
  initial: Readonly<Record<string, unknown>>,
  preferredPort?: number,
): Promise<SecretsStandIn> {
  const secrets = new Map<string, Kept>([[secretId, { text: JSON.stringify(initial) }]]);

  const answer = (
    target: string,
    { SecretId: id = '', Name: name = '', SecretString: text }: z.output<typeof Asked>,
  ) => {
    const kept = secrets.get(id);
    switch (target) {
      case 'secretsmanager.GetSecretValue':
        return kept === undefined
          ? NOT_FOUND
          : { ok: { Name: id, SecretString: kept.text, CreatedDate: kept.writtenAt } };
      case 'secretsmanager.PutSecretValue':
        if (kept === undefined || text === undefined) return NOT_FOUND;
        secrets.set(id, { text, writtenAt: Date.now() / 1000 });
        return { ok: { Name: id, VersionStages: ['AWSCURRENT'] } };
      case 'secretsmanager.CreateSecret':
        if (secrets.has(name)) return EXISTS;
        secrets.set(name, { text: text ?? '', writtenAt: Date.now() / 1000 });
        return { ok: { Name: name } };
      default:
        return NOT_FOUND;
    }
  };

  const standIn = await startStandIn(async (request, response) => {
    const body = Asked.parse(JSON.parse((await readAll(request)).toString('utf8') || '{}'));
    const outcome: Outcome = answer(String(request.headers['x-amz-target']), body);
    response.writeHead('ok' in outcome ? 200 : 400, { 'Content-Type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify('ok' in outcome ? outcome.ok : { __type: outcome.refused, message: outcome.message }));
  }, preferredPort);
  return {
    ...standIn,
    setValues(next) {
      secrets.set(secretId, { text: JSON.stringify(next) });
    },
  };
}

const NOT_FOUND = {
  refused: 'ResourceNotFoundException',
  message: "Secrets Manager can't find the specified secret.",
} as const;
const EXISTS = {
  refused: 'ResourceExistsException',
  message: 'The operation failed because the secret already exists.',
} as const;
