import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Stack } from '../../tools/run/local-stack/stack.ts';
import { readAll, type StandIn, startStandIn } from '../../tools/run/local-stack/stand-in-server.ts';
import { runTool, startTool } from '../support/run-tool.ts';
import { runningStack } from '../support/running-stack.ts';

let directory: string;
let stack: Stack;
let stop: () => Promise<void>;
let insights: StandIn;
/** The Logs Insights calls, in order. Results are ready at the second poll. */
const asked: { readonly operation: string; readonly body: Readonly<Record<string, unknown>> }[] = [];
let status = 'Complete';
beforeAll(async () => {
  ({ directory, stack, stop } = await runningStack());
  insights = await startStandIn(async (request, response) => {
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    const body = JSON.parse((await readAll(request)).toString('utf8'));
    const isFirstLook = operation === 'GetQueryResults' && asked.at(-1)?.operation === 'StartQuery';
    asked.push({ operation, body });
    const isUnknown = /-nowhere|relay-early/.test(String(body.logGroupNames));
    response.writeHead(isUnknown ? 400 : 200, { 'Content-Type': 'application/x-amz-json-1.1' });
    const results = [
      [
        { field: 'route', value: 'GET /health' },
        { field: 'p95', value: '12.5' },
      ],
    ];
    const answer =
      operation === 'StartQuery' ? { queryId: 'q-1' } : { status: isFirstLook ? 'Running' : status, results };
    response.end(JSON.stringify(isUnknown ? { __type: 'ResourceNotFoundException', message: 'no group' } : answer));
  }, undefined);
});
afterAll(async () => {
  await Promise.all([stop(), insights.stop()]);
});

const here = (...args: string[]) => runTool('logs', [...args, '--stack', directory]);
const env = () => ({
  ...{ AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: insights.url, AWS_REGION: 'eu-central-1' },
  ...{ AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' },
});
const inAws = (...args: string[]) => runTool('logs', args, { env: env() });

describe('the log of the local stack', () => {
  it('shows requests, a single request, route latencies and failures', async () => {
    const first = await fetch(`${stack.info.apiBaseUrl}/health`, { headers: { 'X-Request-Id': 'looked-for-0001' } });
    expect(first.status).toBe(200);
    await fetch(`${stack.info.apiBaseUrl}/ota/latest?current_version=1.0.0`);
    const requests = await here('requests');
    expect(requests.stdout).toMatch(/looked-for-0001 +GET \/health +200/);
    const one = JSON.parse((await here('requests', '--request', 'looked-for-0001', '--json')).stdout);
    expect(one.rows).toEqual([expect.objectContaining({ message: 'request', statusCode: '200' })]);
    const only = JSON.parse((await here('latency', '--route', 'GET /health', '--json')).stdout);
    expect(only.rows).toEqual([expect.objectContaining({ route: 'GET /health', p50: expect.stringMatching(/^\d/) })]);
    expect((await here('errors')).stdout).toMatch(/^Nothing since/);
    expect((await here('requests', '--since', '2099-01-01')).stdout).toContain('Nothing since 2099');
  });

  it('counts failures by route and code', async () => {
    stack.engines.stripe.setFaults([{ status: 500 }]);
    expect((await fetch(`${stack.info.apiBaseUrl}/myDevices`)).status, 'which is no failure of ours').toBe(401);
    await fetch(`${stack.info.apiBaseUrl}/health/stripe`, { headers: { 'X-Request-Id': 'failing-0001' } });
    stack.engines.stripe.setFaults([]);
    const failed = JSON.parse((await here('errors', '--json')).stdout);
    expect(failed.rows).toEqual([
      expect.objectContaining({ count: '1', route: 'GET /health/stripe', lastRequest: 'failing-0001' }),
    ]);
  });

  it('cannot be read when no stack is running', async () => {
    const run = await runTool('logs', ['errors', '--stack', `${directory}-none`]);
    expect([run.code, run.stderr]).toEqual([1, expect.stringContaining('npm run dev')]);
  });
});

describe('the log of an environment in AWS', () => {
  it('is queried with Logs Insights, waiting for the result', async () => {
    asked.length = 0;
    const run = await inAws('latency', '--env', 'prod', '--since', '2h', '--route', 'POST /claim"Device');
    expect([run.code, run.stderr]).toEqual([0, '']);
    expect(run.stdout).toMatch(/GET \/health +12\.5/);
    const [start] = asked;
    expect(start?.body).toMatchObject({
      logGroupNames: ['/aws/lambda/autowatering-backend-prod', '/aws/lambda/autowatering-relay-prod'],
    });
    expect(start?.body['queryString']).toContain('route = "POST /claim\\"Device"');
    expect(Number(start?.body['endTime']) - Number(start?.body['startTime'])).toBeCloseTo(7200, -1);
    expect(asked.map(({ operation }) => operation)).toEqual(['StartQuery', 'GetQueryResults', 'GetQueryResults']);
  });

  it('is queried without the relay’s when the environment has none yet', async () => {
    asked.length = 0;
    const run = await inAws('errors', '--env', 'early');
    expect([run.code, run.stderr]).toEqual([0, '']);
    expect(asked[1]?.body).toMatchObject({ logGroupNames: ['/aws/lambda/autowatering-backend-early'] });
  });

  it('is reported as missing when the environment does not exist', async () => {
    const run = await inAws('errors', '--env', 'nowhere');
    expect([run.code, run.stderr]).toEqual([1, expect.stringContaining('There is no log group')]);
  });

  it('is no longer polled when the query fails or the command is interrupted', async () => {
    status = 'Timeout';
    const failed = await inAws('errors', '--env', 'prod');
    expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining('Try a shorter time')]);
    status = 'Running';
    const running = startTool('logs', ['errors', '--env', 'prod'], { env: env() });
    await expect.poll(() => asked.at(-1)?.operation, { timeout: 10_000 }).toBe('GetQueryResults');
    running.child.kill('SIGINT');
    expect((await running.ended).code).toBe(130);
    expect(asked.at(-1)?.operation).toBe('StopQuery');
    status = 'Complete';
  });

  it('can be queried by hand with the output of --print', async () => {
    const { stdout } = await inAws('errors', '--print');
    expect(stdout).toMatch(/^filter message = "request" and statusCode >= 500\n\| stats count/);
  });
});
