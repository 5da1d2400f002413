import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { routeContracts } from '../../tools/build/docs/route-contracts.ts';
import { headingAnchors } from '../../tools/build/template/heading-anchors.ts';
import { readTemplate } from '../../tools/build/template/template.ts';
import { rollbackCommands } from '../../tools/operations/deploy/stack-facts.ts';
import { SECRET_NAMES } from '../../tools/operations/secrets/secret-keys.ts';
import { runTool } from '../support/run-tool.ts';

/*
 * In an incident, a runbook with a wrong command is worse than none. Everything in it that can be checked against the
 * project is checked here.
 */

const text = readFileSync('RUNBOOK.md', 'utf8');
const scripts: Readonly<Record<string, string>> = JSON.parse(readFileSync('package.json', 'utf8')).scripts;

const anchors = headingAnchors(text);

/** `npm run ota -- pause <version> --reason "…"`: script, sub-command and flags. */
const commands = [...text.matchAll(/npm run ([a-z:]+)(?: -- ([^`\n]*))?/g)].map(([, script = '', rest = '']) => {
  const [first = ''] = rest.split(' ');
  return {
    text: `${script} ${rest}`,
    script,
    subcommand: /^[a-z]+$/.test(first) ? first : undefined,
    flags: [...rest.matchAll(/--[a-z-]+/g)].map(([flag]) => flag).filter((flag) => flag !== '--help'),
  };
});

/** Shell variables that are set (`NAME=…` at the start of a command) or used (`$NAME`). */
function variablesIn(page: string): ReadonlySet<string> {
  const set = [...page.matchAll(/(?:^|[`\s])([A-Z][A-Z0-9_]+)=/gm)];
  const used = [...page.matchAll(/\$\{?([A-Z][A-Z0-9_]+)/g)];
  return new Set([...set, ...used].map(([, name = '']) => name));
}

const awsCommands = [...text.matchAll(/\baws ([a-z-]+) ([a-z-]+)((?: --[a-z-]+ (?:"[^"]*"|'[^']*'|\S+))*)/g)].map(
  ([, service = '', operation = '', rest = '']) => ({
    service,
    operation,
    options: [...rest.matchAll(/ --([a-z-]+) /g)].map(([, option = '']) => option),
  }),
);

const CLIENTS: Readonly<Record<string, () => Promise<object>>> = {
  cloudformation: () => import('@aws-sdk/client-cloudformation'),
  lambda: () => import('@aws-sdk/client-lambda'),
  logs: () => import('@aws-sdk/client-cloudwatch-logs'),
};

/** How the SDK describes an operation's input: kind, namespace, name, traits, and member names. */
const InputSchema = z.tuple([z.number(), z.string(), z.string(), z.unknown(), z.array(z.string())]).rest(z.unknown());

/** Inputs that are not named after their operation. */
const INPUT_NAMES: Readonly<Record<string, string>> = { Invoke: 'Invocation' };
/** Options that the AWS CLI has for every operation. */
const EVERYWHERE = ['Query', 'Output', 'Region', 'CliBinaryFormat'];

const FunctionNames = z.object({
  FunctionName: z.object({ '!Sub': z.string() }),
  AutoPublishAlias: z.string().optional(),
});

const pascalCase = (kebab: string) => kebab.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());

describe('the runbook', () => {
  it('has a section for every alarm, and none for a removed alarm', async () => {
    const { Resources: resources } = await readTemplate();
    const alarms = Object.entries(resources).filter(([, { Type: type }]) => type === 'AWS::CloudWatch::Alarm');
    expect(alarms.length).toBeGreaterThan(10);
    const linked = alarms.map(([name, { Properties: properties }]) => {
      const anchor = /RUNBOOK\.md#([a-z0-9-]+)$/.exec(String(properties['AlarmDescription']).trim())?.[1];
      expect(anchors, name).toContain(anchor);
      return anchor;
    });
    expect(anchors.filter((anchor) => anchor.startsWith('alarm-')).sort()).toEqual(linked.sort());
  });

  it('names only existing scripts', () => {
    expect(commands.length).toBeGreaterThan(8);
    for (const { script } of commands) expect(Object.keys(scripts)).toContain(script);
  });

  const withOptions = new Map(
    commands
      .filter(({ script, flags, subcommand }) => /tsx tools/.test(scripts[script] ?? '') && (subcommand ?? flags[0]))
      .map(({ script, subcommand }) => [`${script} ${subcommand ?? ''}`.trim(), { script, subcommand }] as const),
  );

  it.each([...withOptions])('calls “%s” with existing flags', async (_name, { script, subcommand }) => {
    const help = await runTool(script, [...(subcommand === undefined ? [] : [subcommand]), '--help']);
    expect(help.code).toBe(0);
    if (subcommand !== undefined) expect(help.stdout).toContain(`npm run ${script} -- ${subcommand}`);
    const used = commands.filter((one) => one.script === script && one.subcommand === subcommand);
    for (const flag of used.flatMap(({ flags }) => flags)) expect(help.stdout).toContain(flag);
    // A copied command must run in the intended environment, not in the reader's local stack.
    const isLocal = ({ flags }: (typeof used)[number]) => flags.includes('--folder-only');
    if (help.stdout.includes('--env <name>'))
      for (const one of used.filter((command) => !isLocal(command))) expect(one.flags, one.text).toContain('--env');
  });

  it('sets and uses only variables that something reads', () => {
    const tools = readdirSync('tools', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const read = new Set<string>([
      ...SECRET_NAMES,
      // Read by the SDK and the AWS CLI.
      ...['AWS_REGION', 'AWS_PROFILE'],
      ...tools.flatMap((name) =>
        [...readFileSync(`tools/${name}`, 'utf8').matchAll(/process\.env\['([A-Z_]+)'\]/g)].map(([, one = '']) => one),
      ),
    ]);
    expect(variablesIn('API=$(aws …)\nnpm run x -- --api-base-url $API\n`DEPLOY_PARAMETERS="A=b" npm run y`')).toEqual(
      new Set(['API', 'DEPLOY_PARAMETERS']),
    );
    expect(variablesIn(text).size).toBeGreaterThan(1);
    expect([...variablesIn(text)].filter((name) => !read.has(name))).toEqual([]);
  });

  it('rolls back with the command that a failed deployment prints', () => {
    const settings = { environment: '<env>', region: undefined, stackName: '', parameters: {} };
    for (const command of rollbackCommands(settings, { backend: '<version>', relay: '<version>' })) {
      expect(text).toContain(command);
    }
  });

  it.each(awsCommands.map((command) => [`${command.service} ${command.operation}`, command] as const))(
    'calls “aws %s” with existing options',
    async (_name, { service, operation, options }) => {
      // The AWS CLI's commands are generated from the same models as the SDKs.
      const client: Readonly<Record<string, unknown>> = { ...(await CLIENTS[service]?.()) };
      const name = pascalCase(operation);
      expect(Object.keys(client)).toContain(`${name}Command`);
      const input = ['Request', 'Input'].map((end) => client[`${INPUT_NAMES[name] ?? name}${end}$`]);
      const members = InputSchema.parse(input.find((schema) => schema !== undefined))[4];
      expect([...members.map(pascalCase), ...EVERYWHERE]).toEqual(expect.arrayContaining(options.map(pascalCase)));
    },
  );

  it('uses the real function and alias names, and the stack has the outputs that --env reads', async () => {
    const { Resources: resources, Outputs: outputs } = await readTemplate();
    const described = Object.values(resources)
      .filter(({ Type: type }) => type === 'AWS::Serverless::Function')
      .map(({ Properties: properties }) => FunctionNames.parse(properties));
    const names = described.map(({ FunctionName: name }) => name['!Sub'].replace(/\$\{Environment\}/, '<env>'));
    const functions = [...text.matchAll(/--function-name (\S+)/g)].map(([, named]) => named);
    expect(functions.length).toBeGreaterThan(1);
    expect(new Set(functions)).toEqual(new Set(names));
    // Work by time has no alias: nobody calls it while it is replaced.
    expect([...text.matchAll(/--name (\S+) --function-version/g)].map(([, named]) => named)).toEqual(
      described.flatMap(({ AutoPublishAlias: alias }) => alias ?? []),
    );
    expect(Object.keys(z.object({}).loose().parse(outputs))).toEqual(
      expect.arrayContaining(['ApiBaseUrl', 'ArtifactBucketName', 'RelayUrl']),
    );
  });

  it('refers to contributor insights and caller addresses, which the template provides', async () => {
    const { Resources: resources } = await readTemplate();
    expect(text).toContain('contributor insights');
    const tables = Object.values(resources).filter(({ Type: type }) => type === 'AWS::DynamoDB::Table');
    for (const { Properties: properties } of tables)
      expect(properties['ContributorInsightsSpecification']).toMatchObject({ Mode: 'THROTTLED_KEYS' });
    const { Format: format } = z
      .object({ Format: z.string() })
      .parse(resources['Api']?.Properties['AccessLogSettings']);
    expect(JSON.parse(format)).toMatchObject({ ip: '$context.identity.sourceIp', status: '$context.status' });
    const [, group = ''] = /--log-group-name (\S+)/.exec(text) ?? [];
    expect(resources['AccessLog']?.Properties).toMatchObject({
      LogGroupName: { '!Sub': group.replace('<env>', `\${Environment}`) },
      // Addresses are personal data and expire sooner than other lines.
      RetentionInDays: { '!Ref': 'AccessLogRetentionDays' },
    });
  });

  it('has only working links', () => {
    for (const [, target = ''] of text.matchAll(/\]\(([^)]+)\)/g)) {
      if (target.startsWith('#')) expect(anchors).toContain(target.slice(1));
      else if (!target.startsWith('http')) expect(existsSync(target.replace(/#.*/, '')), target).toBe(true);
    }
  });

  it('names only existing routes', () => {
    const paths = new Set(routeContracts().map(({ path }) => path));
    const named = [...text.matchAll(/`(?:GET )?(\/[A-Za-z/]*[hH]ealth[a-z/]*)`/g)].map(([, path = '']) => path);
    expect(named.length).toBeGreaterThan(3);
    for (const path of named) expect([...paths]).toContain(path);
  });
});
