import { styleText } from 'node:util';
import { Command, InvalidArgumentError } from 'commander';
import { PlainError } from '../../cli/plain-error.ts';
import { runCommand } from '../../cli/run-command.ts';
import { cognitoUsers } from './cognito/cognito-users.ts';
import { type Stack, startStack } from './stack.ts';

const WATCH_MS = 500;

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new InvalidArgumentError('Expected a number from 1 to 65535.');
  return port;
}

await runCommand((signal) =>
  new Command('npm run dev --')
    .description('Runs the whole product on this machine, for developing apps against it.')
    .option('--port <number>', "the API's port (default: 3000, or a free one)", portNumber)
    .option('--directory <path>', 'directory for state, logs and stack.json', '.local')
    .option('--fresh', 'discard the state of earlier runs', false)
    .addHelpText('after', '\nExamples:\n  npm run dev\n  npm run dev -- --fresh\n  npm run dev -- --port 8080\n')
    .action(async (options: { port?: number; directory: string; fresh: boolean }) => {
      console.log('AutoWatering: the whole product on this machine');
      const stack = await startStack({ ...options, signal, onStep: (step) => console.log(`  … ${step}`) });
      try {
        await showStartScreen(stack);
        console.log(`Ctrl-C stops everything. Logs: ${options.directory}/logs`);
        await untilStopped(stack, signal);
      } finally {
        await stack.stop();
      }
      console.log('Stopped. The state is kept for the next run.');
    }),
);

async function showStartScreen({ info }: Stack): Promise<void> {
  const [user] = info.users;
  if (user === undefined) throw new PlainError('The stack has no demo user.');
  const { idToken } = await cognitoUsers(info.cognito).logIn(user.email, user.password);
  const strong = (text: string) => styleText('bold', text, { stream: process.stdout });
  console.log(
    [
      '',
      `API            ${strong(info.apiBaseUrl)}`,
      `API page       ${strong(info.docsUrl)}`,
      `Relay          ${strong(info.relay.url)}  (WebSocket; it misbehaves on demand: tools/README.md)`,
      `Stripe         ${strong(info.stripe.endpoint)}  (dashboard: subscriptions, events, and a clock you can move)`,
      `Messages       ${strong(info.messages)}  (mails and pushes to owners land here)`,
      `Plants         Kindwise ${info.plants.kindwise}  Pl@ntNet ${info.plants.plantnet}  GBIF ${info.plants.gbif}`,
      `Metrics        ${info.apiBaseUrl}/metrics`,
      `Factory token  ${info.factoryToken}`,
      `Admin token    ${info.adminToken}`,
      `Demo log-in    ${user.email}  ${user.password}`,
      `Cognito        ${info.cognito.endpoint}  pool ${info.cognito.userPoolId}  client ${info.cognito.clientId}`,
      '',
    ].join('\n'),
  );
  // The demo user's token, valid for an hour.
  console.log(
    [
      'Try it:',
      '',
      `curl -s ${info.apiBaseUrl}/health`,
      '',
      `curl -s -X POST ${info.apiBaseUrl}/provision -H 'x-factory-token: ${info.factoryToken}' -H 'Content-Type: application/json' -d '{"hw_id":"AA:BB:CC:DD:EE:01"}'`,
      '',
      `curl -s ${info.apiBaseUrl}/myDevices -H 'Authorization: Bearer ${idToken}'`,
      '',
    ].join('\n'),
  );
}

async function untilStopped(stack: Stack, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setInterval(() => {
      const fault = stack.broken();
      if (fault !== undefined) finish(() => reject(new PlainError(fault)));
    }, WATCH_MS);
    const finish = (end: () => void) => {
      clearInterval(timer);
      end();
    };
    signal.addEventListener('abort', () => finish(resolve), { once: true });
    if (signal.aborted) finish(resolve);
  });
}
