import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { readAll, type StandIn, startStandIn } from '../stand-in-server.ts';

export interface SecretsStandIn extends StandIn {
  /** Replaces the values of the first secret, like a rotation. */
  setValues(values: Readonly<Record<string, unknown>>): void;
  /** Somebody else replaces a secret right before the next new version of it is written. */
  overtakeNextWrite(values: Readonly<Record<string, unknown>>): void;
}

interface Kept {
  readonly text: string;
  readonly version: string;
  /** Seconds since 1970, as in the real service; unknown for initial secrets. */
  readonly writtenAt?: number;
}

const Asked = z.object({
  SecretId: z.string().optional(),
  Name: z.string().optional(),
  SecretString: z.string().optional(),
  ClientRequestToken: z.string().optional(),
  VersionStages: z.array(z.string()).default(['AWSCURRENT']),
  MoveToVersionId: z.string().optional(),
  RemoveFromVersionId: z.string().optional(),
});

type Outcome = { readonly ok: object } | { readonly refused: string; readonly message: string };

/** Secrets Manager: reads, creates and replaces secrets; a version can be written first and made current later. */
export async function startSecrets(
  secretId: string,
  initial: Readonly<Record<string, unknown>>,
  preferredPort?: number,
): Promise<SecretsStandIn> {
  const secrets = new Map<string, Kept>([[secretId, { text: JSON.stringify(initial), version: randomUUID() }]]);

  /** Versions that are written but not current, by their id. */
  const pending = new Map<string, Kept>();
  let overtaking: string | undefined;

  const answer = (target: string, asked: z.output<typeof Asked>) => {
    const { SecretId: id = '', Name: name = '', SecretString: text } = asked;
    const written = {
      text: text ?? '',
      version: asked.ClientRequestToken ?? randomUUID(),
      writtenAt: Date.now() / 1000,
    };
    if (overtaking !== undefined && target === 'secretsmanager.PutSecretValue') {
      secrets.set(id, { text: overtaking, version: randomUUID() });
      overtaking = undefined;
    }
    const kept = secrets.get(id);
    switch (target) {
      case 'secretsmanager.GetSecretValue':
        return kept === undefined
          ? NOT_FOUND
          : { ok: { Name: id, SecretString: kept.text, VersionId: kept.version, CreatedDate: kept.writtenAt } };
      case 'secretsmanager.PutSecretValue':
        if (kept === undefined || text === undefined) return NOT_FOUND;
        if (asked.VersionStages.includes('AWSCURRENT')) secrets.set(id, written);
        else pending.set(written.version, written);
        return { ok: { Name: id, VersionId: written.version, VersionStages: asked.VersionStages } };
      case 'secretsmanager.UpdateSecretVersionStage': {
        const next = pending.get(asked.MoveToVersionId ?? '');
        if (kept === undefined || next === undefined) return NOT_FOUND;
        if (kept.version !== asked.RemoveFromVersionId) return NOT_THERE;
        secrets.set(id, next);
        return { ok: { Name: id } };
      }
      case 'secretsmanager.CreateSecret':
        if (secrets.has(name)) return EXISTS;
        secrets.set(name, written);
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
    overtakeNextWrite(values) {
      overtaking = JSON.stringify(values);
    },
    setValues(next) {
      secrets.set(secretId, { text: JSON.stringify(next), version: randomUUID() });
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
const NOT_THERE = {
  refused: 'InvalidParameterException',
  message: 'The parameter RemoveFromVersionId is not the version that has the staging label.',
} as const;
