import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { type GuardedChild, startGuarded, untilReady } from '../process/child-process.ts';
import { freePort } from '../process/ports.ts';

export const LOCAL_REGION = 'eu-central-1';
/** Looks like a real pool's id, so that the real verifier accepts its tokens. */
export const LOCAL_USER_POOL_ID = `${LOCAL_REGION}_Local0001`;
export const LOCAL_CLIENT_ID = 'localappclient0000000000001';

export interface CognitoLocal {
  readonly url: string;
  readonly jwksUri: string;
  readonly child: GuardedChild;
}

export interface CognitoOptions {
  readonly directory: string;
  readonly logFile: string;
  readonly preferredPort?: number;
}

/**
 * Starts `cognito-local` with a predefined user pool and app client. Its tokens name Cognito's own issuer, so that the
 * backend verifies them with the same code and settings as in the cloud.
 */
export async function startCognito(options: CognitoOptions, signal: AbortSignal): Promise<CognitoLocal> {
  const port = await freePort(options.preferredPort);
  await writePool(path.join(options.directory, '.cognito'));
  const child = await startGuarded({
    name: 'cognito-local',
    command: process.execPath,
    // It reads no arguments; the directory only identifies it in a process list.
    args: [createRequire(import.meta.url).resolve('cognito-local/lib/bin/start.js'), options.directory],
    cwd: options.directory,
    env: { HOST: '127.0.0.1', PORT: String(port), AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE: '1' },
    logFile: options.logFile,
  });
  const url = `http://127.0.0.1:${port}`;
  await untilReady(child, () => answers(`${url}/health`), signal);
  return { url, jwksUri: `${url}/${LOCAL_USER_POOL_ID}/.well-known/jwks.json`, child };
}

async function writePool(home: string): Promise<void> {
  const database = path.join(home, 'db');
  await mkdir(database, { recursive: true });
  await writeFile(
    path.join(home, 'config.json'),
    JSON.stringify({ TokenConfig: { IssuerDomain: `https://cognito-idp.${LOCAL_REGION}.amazonaws.com` } }),
  );
  const created = new Date(0).toISOString();
  await writeIfMissing(path.join(database, 'clients.json'), {
    Clients: {
      [LOCAL_CLIENT_ID]: {
        ClientId: LOCAL_CLIENT_ID,
        ClientName: 'app',
        UserPoolId: LOCAL_USER_POOL_ID,
        CreationDate: created,
        LastModifiedDate: created,
        RefreshTokenValidity: 30,
        AccessTokenValidity: 60,
        IdTokenValidity: 60,
        TokenValidityUnits: { AccessToken: 'minutes', IdToken: 'minutes', RefreshToken: 'days' },
      },
    },
  });
  await writeIfMissing(path.join(database, `${LOCAL_USER_POOL_ID}.json`), {
    Users: {},
    Options: { Id: LOCAL_USER_POOL_ID, Name: 'local', UsernameAttributes: ['email'], MfaConfiguration: 'OFF' },
  });
}

async function writeIfMissing(file: string, content: unknown): Promise<void> {
  try {
    await readFile(file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    await writeFile(file, JSON.stringify(content));
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(1_000) })).ok;
  } catch {
    return false;
  }
}
