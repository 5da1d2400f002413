import * as z from 'zod';
import type { ListedRoute } from '../../cli/target/route-list.ts';

/** One check of a running API. `run` throws with the reason when it fails. */
export interface SmokeCheck {
  readonly name: string;
  run(get: Probe): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export type Probe = (path: string, init?: RequestInit) => Promise<Answer>;

const ErrorForm = z.object({
  error: z.object({ code: z.string(), message: z.string().min(1), requestId: z.string().min(8) }),
});
/** On private routes, API Gateway's authorizer answers in its own form before our code runs. */
const GatewayForm = z.object({ message: z.string() });

const Alive = z.object({ ok: z.literal(true), status: z.literal('alive'), timestamp: z.iso.datetime() });
const Report = z.object({
  ok: z.literal(true),
  status: z.literal('healthy'),
  timestamp: z.iso.datetime(),
  latencyMs: z.number(),
  checks: z.array(z.object({ name: z.string(), ok: z.literal(true), latencyMs: z.number() })).min(1),
});
const PlantHealth = z.object({
  ok: z.literal(true),
  status: z.enum(['healthy', 'degraded']),
  service: z.string(),
  time: z.iso.datetime(),
  provider: z.looseObject({ name: z.string(), state: z.string() }),
});
const Latest = z.object({
  ok: z.literal(true),
  update_available: z.boolean(),
  latest: z.object({ version: z.string() }).loose().nullable(),
  reason: z.string(),
});

/** Returns all checks for the given routes. They only read and never create anything. */
export function smokeChecks(routes: readonly ListedRoute[]): readonly SmokeCheck[] {
  return [...healthChecks(), ...routes.flatMap(guardChecks), latestCheck(), ...formChecks()];
}

function healthChecks(): SmokeCheck[] {
  const report = (path: string): SmokeCheck => ({
    name: `GET ${path} is healthy`,
    run: async (probe) => {
      const answer = await probe(path);
      expectStatus(answer, 200);
      matches(Report, answer.body);
    },
  });
  return [
    {
      name: 'GET /health is alive',
      run: async (probe) => {
        const answer = await probe('/health');
        expectStatus(answer, 200);
        matches(Alive, answer.body);
      },
    },
    ...['/health/deep', '/health/ota', '/health/stripe', '/health/provision'].map(report),
    ...['/aiDoctorHealth', '/plantIdHealth'].map((path) => ({
      name: `GET ${path} is healthy`,
      run: async (probe: Probe) => {
        const answer = await probe(path);
        expectStatus(answer, 200);
        matches(PlantHealth, answer.body);
      },
    })),
  ];
}

const CREDENTIALS: Readonly<Partial<Record<ListedRoute['auth'], Readonly<Record<string, string>>>>> = {
  cognito: { Authorization: 'Bearer not.a.token' },
  factory: { 'x-factory-token': 'not-the-factory-token' },
  admin: { 'x-admin-token': 'not-the-admin-token' },
  stripe: { 'Stripe-Signature': `t=1,v1=${'0'.repeat(64)}` },
};

function guardChecks({ method, path, auth }: ListedRoute): SmokeCheck[] {
  const wrong = CREDENTIALS[auth];
  if (wrong === undefined) return [];
  const url = path.replace('{version}', '0.0.0').replace('{eventId}', 'evt_smoke');
  const body = method === 'POST' ? { body: '{}', headers: { 'Content-Type': 'application/json' } } : {};
  return [
    {
      name: `${method} ${path} refuses a caller without credentials`,
      run: async (probe) => expectRefusal(await probe(url, { method, ...body }), auth, 'auth_required'),
    },
    {
      name: `${method} ${path} refuses wrong credentials`,
      run: async (probe) => {
        const headers = { ...body.headers, ...wrong };
        expectRefusal(await probe(url, { method, ...body, headers }), auth, 'invalid_token');
      },
    },
  ];
}

function latestCheck(): SmokeCheck {
  return {
    name: 'GET /ota/latest decides',
    run: async (probe) => {
      const answer = await probe('/ota/latest?current_version=0.0.1');
      expectStatus(answer, 200);
      matches(Latest, answer.body);
    },
  };
}

function formChecks(): SmokeCheck[] {
  return [
    {
      name: 'an unknown path gives 404 not_found in the error form',
      run: async (probe) => expectError(await probe('/no/such/address'), 404, 'not_found'),
    },
    {
      name: 'a wrong method gives 405 with Allow',
      run: async (probe) => {
        const answer = await probe('/health', { method: 'DELETE' });
        expectError(answer, 405, 'method_not_allowed');
        expectHeader(answer, 'allow', /GET/);
      },
    },
    {
      name: 'a trailing slash is ignored',
      run: async (probe) => expectStatus(await probe('/health/'), 200),
    },
    {
      name: "the caller's request id is returned, with the processing time",
      run: async (probe) => {
        const answer = await probe('/health', { headers: { 'X-Request-Id': 'smoke-test-0001' } });
        expectHeader(answer, 'x-request-id', /^smoke-test-0001$/);
        expectHeader(answer, 'x-process-time', /^\d/);
      },
    },
    {
      name: 'a preflight is answered without credentials',
      run: async (probe) => {
        const headers = { Origin: 'capacitor://localhost', 'Access-Control-Request-Method': 'POST' };
        const answer = await probe('/claimDevice', { method: 'OPTIONS', headers });
        expectStatus(answer, 204);
        expectHeader(answer, 'access-control-allow-origin', /./);
      },
    },
    {
      name: 'an invalid channel gives 400 validation_failed',
      run: async (probe) => expectError(await probe('/ota/latest?channel=-'), 400, 'validation_failed'),
    },
  ];
}

export function expectStatus(answer: Answer, status: number): void {
  if (answer.status !== status) throw new Error(`status ${answer.status} instead of ${status}: ${brief(answer.body)}`);
}

export function expectError(answer: Answer, status: number, code: string): void {
  expectStatus(answer, status);
  const { error } = matches(ErrorForm, answer.body);
  if (error.code !== code) throw new Error(`code ${error.code} instead of ${code}`);
  expectHeader(answer, 'x-request-id', new RegExp(`^${error.requestId}$`));
}

function expectRefusal(answer: Answer, auth: ListedRoute['auth'], code: string): void {
  // The signature is part of the message: without a valid one, the message is invalid rather than the caller unknown.
  if (auth === 'stripe') {
    expectError(answer, 400, 'invalid_signature');
    return;
  }
  if (answer.status === 401 && GatewayForm.safeParse(answer.body).success) return;
  expectError(answer, 401, code);
}

function expectHeader(answer: Answer, name: string, pattern: RegExp): void {
  const value = answer.headers.get(name);
  if (value === null || !pattern.test(value)) throw new Error(`header ${name} is ${value ?? 'missing'}`);
}

function matches<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (!result.success) throw new Error(`${z.prettifyError(result.error)} in ${brief(body)}`);
  return result.data;
}

function brief(body: unknown): string {
  return (typeof body === 'string' ? body : JSON.stringify(body))?.slice(0, 300) ?? 'an empty body';
}
